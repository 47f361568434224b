import { once } from 'node:events'
import type { Server } from 'node:net'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { type Config, ConfigurationError } from '../config.ts'
import { causes } from '../errors.ts'
import { flushLog, log, outliveReader } from '../log.ts'
import { metrics, observeColdStart } from '../metrics.ts'
import type { PushOptions } from '../otlp-metrics.ts'
import type { FunctionDeclaration } from '../spec/define-function.ts'
import { Environment, together, type Wires, wireAll } from '../wiring/environment.ts'
import { listen } from './listen.ts'
import { beginDraining, isDraining } from './operational.ts'

/** A function with all its parts, as its entry file puts them together. */
export interface Assembly {
  /** `students/get` */
  readonly name: string
  readonly declaration: FunctionDeclaration
  /** The default export of handler.ts. */
  readonly handler: (dependencies: never) => unknown
  /** Those exports of the service's wiring.ts that the declaration needs. */
  readonly wires: Wires
}

export interface Wired {
  readonly dependencies: Readonly<Record<string, unknown>>
  /** What handler.ts made of them. */
  readonly handlers: unknown
}

export interface Running {
  readonly server: Server
  /** Ends what the host does beyond serving: pulling messages. */
  readonly stop?: () => Promise<void>
}

/** Longest that a stop waits for what is under way, in milliseconds. */
const drainPatience = 10_000

/**
 * Runs a serving function as this process: listens, tells a runner that forked it, drains on SIGTERM, SIGINT or when the
 * runner is gone. A wrong configuration ends it with a sentence and exit code 1.
 */
export async function hostProcess(
  assembly: Assembly,
  start: (wired: Promise<Wired>, environment: Environment) => Running,
): Promise<void> {
  const environment = new Environment(assembly.name)
  // Drivers connect while the server begins to listen.
  const wired = wire(environment, assembly)
  try {
    wired.catch(() => {})
    const { host, port } = await ownSettings(environment, wired)
    const running = start(wired, environment)
    listen(running.server, port, host)
    await once(running.server, 'listening')
    // From its first connection on a stop drains; who is told that this is ready may say so in the same moment.
    stopOn(async () => {
      beginDraining()
      await drain(running)
      await wired
      await environment[Symbol.asyncDispose]()
    })
    await wired
    if (isDraining()) return
    observeColdStart(assembly.name, performance.now() / 1000)
    const address = running.server.address()
    if (typeof address === 'object' && address) {
      process.send?.({ type: 'ready', port: address.port })
    }
  } catch (error) {
    fail(error)
  }
}

/** Where to listen, with telemetry begun. @throws ConfigurationError with all that is wrong, of the function's needs too. */
async function ownSettings(
  environment: Environment,
  wired: Promise<Wired>,
): Promise<ReturnType<Config['listen']>> {
  const own = [Promise.try(() => environment.config.listen()), startTelemetry(environment)] as const
  try {
    const [address] = await together(own)
    return address
  } catch (error) {
    if (error instanceof ConfigurationError) await together([...own, wired])
    throw error
  }
}

/** Runs a job or a cron function to its end. */
export async function jobProcess(
  assembly: Assembly,
  run: (handlers: unknown) => Promise<void>,
): Promise<void> {
  // A job tells what it does on stdout itself.
  outliveReader()
  const environment = new Environment(assembly.name)
  try {
    const [{ handlers }] = await together([
      wire(environment, assembly),
      startTelemetry(environment, { histograms: false }),
    ])
    await run(handlers)
    await environment[Symbol.asyncDispose]()
    await leave(process.exitCode === undefined ? 0 : Number(process.exitCode))
  } catch (error) {
    fail(error)
  }
}

/** Makes what the handler needs, and the handler of it. */
export async function wire(environment: Environment, { wires, handler }: Assembly): Promise<Wired> {
  const dependencies = await wireAll(environment, wires)
  // The declaration's needs are the handler's parameters: the type of each handler.ts says so.
  return { dependencies, handlers: handler(dependencies as never) }
}

/** The SDK is loaded only where spans have somewhere to go, and what pushes metrics only at the end, where they have. */
export async function startTelemetry(
  environment: Environment,
  { histograms }: PushOptions = { histograms: true },
): Promise<void> {
  const { config } = environment
  const [receiver, endpoint] = await together([
    Promise.try(() => config.otlpMetricsEndpoint()),
    Promise.try(() => config.otlpEndpoint()),
  ])
  if (receiver !== undefined) environment.share('metrics', () => lastMetrics(receiver, { histograms }))
  if (endpoint === undefined) return
  const { telemetry } = await import('../telemetry.ts')
  environment.share('telemetry', () => telemetry(environment.function))
}

/** No scraper comes by any more once a process ends, and to a job none ever does. */
function lastMetrics(receiver: string, options: PushOptions): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      const { pushMetrics } = await import('../otlp-metrics.ts')
      await pushMetrics(receiver, options)
    },
  }
}

/** Resolves when the runner sends nothing more; where there is none, nobody says so. */
let leftAlone: Promise<unknown> = Promise.resolve()

function stopOn(stop: () => Promise<void>): void {
  let asked = false
  const alone = Promise.withResolvers<void>()
  const begin = (code: number): void => {
    if (asked) return
    asked = true
    // A runner that hears of it sends nothing more, and says so.
    if (process.connected) {
      leftAlone = alone.promise
      process.send?.({ type: 'stopping' })
    }
    // Of start.cjs, which is outside the bundle.
    const stopping: unknown = Reflect.get(globalThis, Symbol.for('registrar.stopping'))
    if (typeof stopping === 'function') stopping()
    // What ends after the drain, one after the other, has seconds of its own.
    setTimeout(() => void leave(1), drainPatience + 5000).unref()
    void stop()
      .catch((error: unknown) => log('error', { message: 'the stop was not clean', error: causes(error) }))
      .then(() => leave(code))
  }
  process.on('SIGTERM', () => begin(0))
  process.on('SIGINT', () => begin(0))
  // Nobody knows what state it leaves: what is under way ends or is given back, and another process goes on.
  const broken = (error: unknown): void => {
    log('error', { message: 'an error that nobody foresaw: stopping', error: causes(error) })
    begin(1)
  }
  process.on('uncaughtException', broken)
  process.on('unhandledRejection', broken)
  if (process.send) {
    const goneRunner = (): void => {
      alone.resolve()
      begin(0)
    }
    process.on('disconnect', goneRunner)
    if (!process.connected) goneRunner()
    process.on('message', (message: { type?: string }) => {
      if (message.type === 'left alone') alone.resolve()
      if (message.type === 'metrics?') void sendMetrics()
    })
  }
}

/**
 * How long a process that stops goes on to accept, in milliseconds. Who sends may not have heard of the stop yet, and the
 * kernel resets what it holds for a socket that is closed: connections that wait to be accepted, requests on idle ones.
 * A runner says when all that it began has its answer; on a machine that is too busy for that at once it has longer.
 */
const parting = { least: 300, most: 4000 }

async function part(): Promise<void> {
  await Promise.all([
    sleep(parting.least),
    Promise.race([leftAlone, sleep(parting.most, undefined, { ref: false })]),
  ])
  // What was sent before is on sockets by now: they are accepted, and read, before idle ones are closed.
  for (let turn = 0; turn < 3; turn++) await setImmediate()
}

/** Waits until everything that was sent is answered and all connections have ended, but not for ever. */
export async function drain({ server, stop }: Running): Promise<void> {
  const closed = part().then(() => new Promise((resolve) => server.close(resolve)))
  const late = new Promise<void>((resolve) => setTimeout(resolve, drainPatience).unref())
  await Promise.race([Promise.all([closed, stop?.()]), late])
}

async function sendMetrics(): Promise<void> {
  if (!process.connected) return
  const registry = await metrics()
  const message = { type: 'metrics', metrics: await registry.getMetricsAsJSON() }
  await new Promise<void>((resolve) => process.send?.(message, undefined, undefined, () => resolve()))
}

async function leave(code: number): Promise<never> {
  await sendMetrics().catch(() => {})
  flushLog()
  process.exit(code)
}

function fail(error: unknown): never {
  if (error instanceof ConfigurationError) process.stderr.write(`${error.message}\n`)
  else log('error', { message: 'the function could not start', error: causes(error) })
  flushLog()
  process.exit(1)
}
