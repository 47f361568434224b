import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Exposition, expose } from '../../shared/exposition.ts'
import type { FunctionName } from '../../shared/spec/names.ts'
import { KeyAuth } from './auth.ts'
import { Backing } from './backing.ts'
import type { Configuration } from './configuration.ts'
import { makeDataDirectory } from './data-directory.ts'
import type { Surroundings } from './function-process.ts'
import { FunctionSet } from './function-set.ts'
import { Gateway } from './gateway.ts'
import { Guardian } from './guardian.ts'
import { headsOf } from './heads.ts'
import { runJob } from './job.ts'
import { launcher } from './launch.ts'
import { lockDirectory } from './lock.ts'
import { GatewayMetrics, MetricsArchive } from './metrics.ts'
import type { Output } from './output.ts'
import { preflight } from './preflight.ts'
import { loadApiKey, writePrivate } from './secrets.ts'
import { Sources } from './watch.ts'

/** A whole local run that serves; disposing it stops all of it, in order. */
export interface Run extends AsyncDisposable {
  readonly port: number
  readonly apiKey: string
  /** Ends what is drained too slowly. */
  hurry(): void
}

/** In-flight requests may take this long when the run stops. */
const drainMs = 3000

export async function startRun(
  configuration: Configuration,
  output: Output,
  signal: AbortSignal,
): Promise<Run> {
  await using stack = new AsyncDisposableStack()
  const { root, dataDir, shownDataDir, idleMs, watch } = configuration
  await makeDataDirectory(dataDir, shownDataDir)
  stack.use(await lockDirectory(dataDir, shownDataDir, signal))
  const { functions, routes } = await preflight(configuration)
  const apiKey = await loadApiKey(dataDir, configuration.apiKey)
  signal.throwIfAborted()

  const guardian = stack.use(new Guardian())
  let set: FunctionSet | undefined
  const afterDeath = (): void => set?.afterDeath()
  let provision: (() => void) | undefined
  const onRestart = (): void => {
    provision?.()
    afterDeath()
  }
  const launch = launcher(root, { sources: watch })
  const [backing] = await together([
    Backing.start({ configuration, functions, guardian, output, onRestart }).then((it) => stack.use(it)),
    output.step('functions', () => launch.prepare()),
  ])
  signal.throwIfAborted()

  const archive = new MetricsArchive()
  let lookups: Record<string, string> = {}
  const own = new Map(functions.map((found) => [found.name.full, backing.envOf(found)]))
  const env = ({ full }: FunctionName): Record<string, string> => ({
    ...configuration.childEnv,
    ...guardian.mark,
    ...own.get(full),
    ...lookups,
    FUNCTION: full,
    HOST: '127.0.0.1',
    PORT: '0',
  })
  const around: Surroundings = {
    root,
    launcher: launch,
    guardian,
    output,
    archive,
    env,
    onCrash: afterDeath,
  }
  const functionSet = stack.use(new FunctionSet({ functions, around, idleMs }))
  set = functionSet
  lookups = await functionSet.listen()

  const initializer = functions.find(({ name }) => name.full === 'platform/initialize')
  if (initializer) {
    const initialize = (): Promise<void> => runJob(initializer.name, around, signal)
    await output.step('initializer', initialize)
    // An engine may come back without what it kept: its store was lost.
    provision = () =>
      void initialize().catch((error: unknown) => {
        if (!signal.aborted) output.event('error', 'initializer failed', { reason: String(error) })
      })
  }

  const metrics = new GatewayMetrics()
  const scrape = async (accept: string | undefined): Promise<Exposition> => {
    const own = await metrics.json()
    const live = await Promise.all(functionSet.processes.map((process) => process.metrics()))
    return expose(await archive.merged([own, ...live.map((seen) => seen())]), accept)
  }
  const auth = new KeyAuth(apiKey, routes.keyNames)
  const sources = watch ? new Sources(root) : undefined
  const renew = (): void => {
    const file = sources?.changed()
    if (file === undefined) return
    output.event('info', 'sources changed', { file })
    functionSet.renew()
  }
  const activators = functionSet.http
  const heads = headsOf(functions)
  const gateway = new Gateway({ routes, auth, activators, heads, metrics, scrape, renew, output })
  stack.defer(() => gateway.drain(drainMs))
  const port = await output.step('gateway', () => gateway.listen(configuration.port))
  const file = join(dataDir, 'run.json')
  stack.defer(() => rm(file, { force: true }))
  await writePrivate(
    file,
    `${JSON.stringify({ pid: process.pid, port, urls: { ...backing.urls, ...lookups } })}\n`,
  )
  functionSet.begin(backing.urls.EVENTS_URL)
  signal.throwIfAborted()

  const whole = stack.move()
  const hurry = (): void => {
    void gateway.drain(0)
    functionSet.hurry()
  }
  return { port, apiKey, hurry, [Symbol.asyncDispose]: () => whole.disposeAsync() }
}

/** Waits for all even when one fails: what was started meanwhile has to be known before it can be stopped. */
async function together<A, B>([a, b]: [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled([a, b])
  return [await a, await b]
}
