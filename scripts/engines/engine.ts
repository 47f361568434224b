import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Told of every process as soon as it is spawned, with the signal that asks it to end. */
export type OnSpawn = (child: ChildProcess, stop: NodeJS.Signals) => void

export interface EngineOptions {
  /** The engine's own; made when absent. Its log lies in it. */
  readonly dir: string
  readonly password: string
  /** Where to listen on 127.0.0.1; any free port when not given. */
  readonly port?: number
  readonly onSpawn?: OnSpawn
  /** Added to the engine's environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface RunningEngine extends AsyncDisposable {
  /** With its credentials: never to be printed. */
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly log: string
  /** Settles when the process is gone, whoever ended it. */
  readonly exited: Promise<void>
  /** Asks it to end, and makes sure of it after a few seconds. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** An engine that cannot run here; the message is one sentence for people. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
}

export interface Launch {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly options: EngineOptions
  readonly stop: NodeJS.Signals
  readonly uid?: number
  /** Written to its stdin. */
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly url: (port: number) => string
  readonly port: number
  /** Whether it serves, by its log: that its port answers could be another's doing. */
  readonly ready: (log: string, pid: number) => boolean | Promise<boolean>
}

/** Only what a server needs: nothing of the user's environment reaches it. */
export function engineEnv(options: Pick<EngineOptions, 'env'>): Record<string, string> {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', TZ } = process.env
  return { PATH, LANG: 'C', ...(TZ ? { TZ } : {}), ...options.env }
}

/** Spawns a server in a process group of its own, its output in a file, and waits until it serves. */
export async function launch(it: Launch): Promise<RunningEngine> {
  const { name, options } = it
  await mkdir(options.dir, { recursive: true })
  const log = join(options.dir, `${name}.log`)
  const output = openSync(log, 'w', 0o600)
  const child = spawn(it.command, [...it.args], {
    cwd: '/',
    detached: true,
    env: { ...engineEnv(options), ...it.env },
    stdio: [it.input === undefined ? 'ignore' : 'pipe', output, output],
    ...(it.uid === undefined ? {} : { uid: it.uid, gid: it.uid }),
  })
  closeSync(output)
  if (child.pid !== undefined) options.onSpawn?.(child, it.stop)
  const engine = running(child, it, log)
  child.stdin?.on('error', () => {})
  child.stdin?.end(it.input)
  try {
    await untilReady(engine, it)
  } catch (error) {
    await engine.stop('SIGKILL')
    throw error
  }
  return engine
}

function running(child: ChildProcess, { url, port, stop }: Launch, log: string): RunningEngine {
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const end = async (signal: NodeJS.Signals = stop): Promise<void> => {
    child.kill(signal)
    const patience = new AbortController()
    const impatient = sleep(5000, undefined, { signal: patience.signal, ref: false })
      .then(() => child.kill('SIGKILL'))
      .catch(() => {})
    await exited
    patience.abort()
    await impatient
  }
  return {
    url: url(port),
    port,
    pid: child.pid ?? 0,
    log,
    exited,
    stop: end,
    [Symbol.asyncDispose]: () => end(),
  }
}

async function untilReady(engine: RunningEngine, { name, options, ready }: Launch): Promise<void> {
  let gone = false
  engine.exited.then(() => {
    gone = true
  })
  const deadline = Date.now() + 30_000
  for (let wait = 5; ; wait = Math.min(wait * 1.5, 50)) {
    options.signal?.throwIfAborted()
    if (gone) throw new EngineError(`${name} ended at its start: ${await lastWords(engine.log)}`)
    if (await ready(await readFile(engine.log, 'utf8'), engine.pid)) return
    if (Date.now() > deadline)
      throw new EngineError(`${name} did not serve within 30 s: ${await lastWords(engine.log)}`)
    await sleep(wait)
  }
}

/** The line of a log that says most about why a server ended. */
export async function lastWords(log: string): Promise<string> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).split('\n').filter((line) => line.trim() !== '')
  const telling = lines.findLast((line) => /fatal|panic|\[FTL\]|error|can't|could not/i.test(line))
  return (telling ?? lines.at(-1) ?? 'it said nothing').trim().slice(0, 300)
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Between the choice of a free port and its use another may take it: then choose again. */
export async function onFreePort<T>(
  port: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T> {
  if (port !== undefined) return start(port)
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort())
    } catch (error) {
      if (attempt === 3 || !(error instanceof EngineError && /address.* in use/i.test(error.message)))
        throw error
    }
  }
}
