import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { discoverFunctions } from '../../shared/spec/discover.ts'
import { removeFolder, testFolder } from '../../shared/testing/temporary.ts'
import { WholeTree } from '../local/testing/whole-tree.ts'
import { Schedule } from './faults/schedule.ts'
import type { Stage } from './faults/stage.ts'
import { type EndRecord, type History, Recorder } from './history.ts'
import { judge } from './judge/judge.ts'
import type { Verdict } from './judge/verdict.ts'
import { Client } from './load/client.ts'
import { Load } from './load/load.ts'
import { Messages } from './messages.ts'
import type { Options } from './options.ts'
import type { Progress } from './progress.ts'
import { untilQuiet } from './quiescence.ts'
import { Servers } from './servers/servers.ts'
import { type Snapshot, takeSnapshot } from './snapshot/snapshot.ts'
import { System } from './system.ts'

/** Longest wait for rest, in milliseconds: what takes longer waits for ever. A worker's killer takes its time. */
const patience = { usual: 180_000, killer: 600_000 }
/** Longest that a service may take to accept a write once everything is mended, in milliseconds. */
const recovery = 120_000

export interface Outcome {
  readonly history: History
  readonly verdict: Verdict
  readonly numbers: Numbers
  /** Where the history lies, when it was kept. */
  readonly kept: string | undefined
}

export interface Numbers {
  readonly compensations: number
  readonly redelivered: number
  readonly resent: number
  readonly started: number
  /** From the end of faults and load to the rest of everything, in milliseconds. */
  readonly rest: number
}

/** One run: the system is started, used, broken, left to come to rest, and judged. */
export async function chaos(options: Options, progress: Progress, signal: AbortSignal): Promise<Outcome> {
  await using stack = new AsyncDisposableStack()
  const dir = await testFolder()
  stack.defer(() => removeFolder(dir))
  // Whatever is started from here makes its own files in it.
  process.env['TMPDIR'] = dir
  const tree = stack.use(new WholeTree())
  progress.say('starting engines and functions')
  const servers = stack.use(await Servers.start(join(dir, 'engines'), options.courses))
  const system = stack.use(await System.start({ root: tree.root, dir: join(dir, 'run'), servers }))
  const messages = stack.use(await Messages.connect(servers.get('nats').url))
  const { minutes, seed, courses, faults } = options
  const path = join(dir, 'history.jsonl')
  const recorder = new Recorder(path, { type: 'run', seed, minutes, courses, faults })
  const client = new Client(system.url, system.apiKey, recorder)
  const load = new Load(client, recorder, seed)
  const functions = (await discoverFunctions(tree.root)).map(({ name }) => name.full)
  const over = new AbortController()
  const stage = { servers, system, messages, load, recorder, functions, signal: over.signal }

  const atRest = async (): Promise<{ end: Omit<EndRecord, 'type'>; rest: number }> => {
    progress.say('making students and courses')
    await load.fill()
    signal.throwIfAborted()
    progress.watch(recorder, minutes)
    await underFaults(stage, over, options, signal)
    const began = recorder.now()
    progress.say('writing once more')
    await load.writeAgain(recovery, signal)
    const longest = faults.includes('poison-killer') ? patience.killer : patience.usual
    const tell = progress.waiting()
    const quiet = await untilQuiet(servers, messages, longest, (left) => {
      signal.throwIfAborted()
      tell(left)
    })
    const rest = recorder.now() - began
    const snapshot = await takeSnapshot(servers.directUrls)
    progress.say('asking for everything once more')
    await askForAll(client, load, snapshot)
    if (system.ended) throw new Error('npm start ended meanwhile')
    return { end: { snapshot, quiet }, rest }
  }
  const { end, rest } = await atRest().catch(async (error: unknown) => {
    await recorder[Symbol.asyncDispose]()
    if (signal.aborted) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`the run has no end: ${why}; history ${await keep(options, path, system.log)}`, {
      cause: error,
    })
  })
  recorder.line({ type: 'end', ...end })
  await recorder[Symbol.asyncDispose]()

  const verdict = judge(recorder, end)
  const { redelivered, resent, started } = system.counts
  const numbers = { compensations: messages.compensations, redelivered, resent, started, rest }
  const kept = verdict.findings.length > 0 ? await keep(options, path, system.log) : undefined
  return { history: recorder, verdict, numbers, kept }
}

async function underFaults(
  stage: Omit<Stage, 'calmly'>,
  over: AbortController,
  { minutes, seed, faults }: Options,
  signal: AbortSignal,
): Promise<void> {
  const { load } = stage
  const schedule = new Schedule(stage, seed)
  const broken = schedule.run(faults)
  load.start()
  try {
    // A fault that cannot be done, or not taken back, ends the run.
    await Promise.race([sleep(minutes * 60_000, undefined, { signal }), schedule.failed])
  } finally {
    over.abort()
    // The others end as they would have: none goes on when its servers are gone.
    await broken
    await load.stop()
  }
}

/** Everything that there is or was, in each way in which it is shown; each until it is answered. */
async function askForAll(client: Client, { population }: Load, snapshot: Snapshot): Promise<void> {
  const final = { final: true } as const
  for (const [service, other] of [
    ['students', 'courses'],
    ['courses', 'students'],
  ] as const) {
    const ids = new Set([...snapshot[service].entities.map(({ id }) => id), ...population.gone(service)])
    const questions = [
      () => client.list(service, final),
      ...[...ids].flatMap((id) => [
        () => client.one(service, id, final),
        () => client.enrolments(service, id, final),
        () => client.related(other, id, final),
      ]),
    ]
    for (const ask of questions)
      for (let tries = 1; tries <= 5; tries++) {
        const { status } = await ask()
        if (status === 200 || status === 404) break
        await sleep(500 * tries)
      }
  }
}

async function keep({ seed, courses }: Options, history: string, log: string): Promise<string> {
  const folder = join(import.meta.dirname, '../../.registrar/chaos')
  await mkdir(folder, { recursive: true })
  const name = `${new Date().toISOString().replaceAll(':', '').slice(0, 17)}-${courses}-${seed}`
  await copyFile(log, join(folder, `${name}.log`))
  const file = join(folder, `${name}.jsonl`)
  await copyFile(history, file)
  return file
}
