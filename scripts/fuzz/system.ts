import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Origin } from './render.ts'

export interface System extends AsyncDisposable {
  readonly origin: Origin & { readonly key: string }
}

/** Longest that a start may take, in milliseconds: on a machine with much else to do. */
const patience = 300_000

/**
 * The whole function set as `npm start` runs it, on engines and data of its own, which go with it; also when the start
 * is given up.
 */
export async function startSystem(signal: AbortSignal = new AbortController().signal): Promise<System> {
  const givenUp = AbortSignal.any([signal, AbortSignal.timeout(patience)])
  await using opening = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), `registrar-fuzz-${process.pid}-`))
  opening.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 }))
  const key = randomBytes(16).toString('hex')
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, ['scripts/start.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    // Ctrl-C goes to this process, which ends the other.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, HOME, PORT: '0', API_KEY: key, DATA_DIR: dir, OWNER_PIDS: String(process.pid) },
  })
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  opening.defer(async () => {
    child.kill('SIGTERM')
    await exited
  })
  let said = ''
  const url = await new Promise<URL>((resolve, reject) => {
    const hear = (chunk: string): void => {
      // Its last words are enough: it says a line for each request.
      said = (said + chunk).slice(-10_000)
      const ready = /^ready (\S+)$/m.exec(said)?.[1]
      if (ready) resolve(new URL(ready))
    }
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear)
    const fail = (why: string): void => reject(new Error(`${why}: ${said.slice(-2000)}`))
    void exited.then(() => fail('the system ended'))
    givenUp.addEventListener('abort', () => fail('the system was not ready when its start was given up'))
    if (givenUp.aborted) fail('the system was not started')
  })
  const stack = opening.move()
  return {
    origin: { hostname: url.hostname, port: Number(url.port), key },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
