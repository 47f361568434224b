import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { Guardian } from '../local/guardian.ts'

export interface ProcessOptions {
  readonly name: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly guardian: Guardian
}

/** Longest that a process may take to its readiness or its end, in milliseconds. */
const patience = 20_000

/** A Node process of the benchmark, which says over IPC when it is ready. */
export class Child implements AsyncDisposable {
  readonly began = performance.now()
  readonly process: ChildProcess
  /** The port that it said; 0 where it serves none. */
  readonly ready: Promise<number>
  readonly exited: Promise<number | NodeJS.Signals>
  /** Rejects at its end, for those who wait for something else of it. */
  readonly failed: Promise<never>
  readonly #name: string
  /** The last two chunks: to keep more would be work while a load is measured. */
  #said: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)]

  constructor({ name, args, cwd, env, guardian }: ProcessOptions) {
    this.#name = name
    // As in the local run: its log goes into a pipe that somebody reads.
    const child = spawn(process.execPath, [...args], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.process = child
    guardian.watch(child)
    child.stdout?.on('data', (chunk: Buffer) => this.#hear(chunk))
    child.stderr?.on('data', (chunk: Buffer) => this.#hear(chunk))
    this.exited = new Promise((resolve) => {
      child.once('error', () => resolve(127))
      child.once('close', (code, signal) => resolve(signal ?? code ?? 1))
    })
    this.failed = this.exited.then((how) => {
      throw this.#failure(`ended (${how})`)
    })
    this.failed.catch(() => {})
    // As the runner: whoever asked it to end sends it nothing more.
    child.on('message', ({ type }: { type?: string }) => {
      if (type === 'stopping' && child.connected) child.send({ type: 'left alone' }, () => {})
    })
    this.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#failure('did not get ready')), patience)
      child.on('message', (message: { type?: string; port?: number }) => {
        if (message.type !== 'ready') return
        clearTimeout(timer)
        resolve(message.port ?? 0)
      })
      this.failed.catch((error) => {
        clearTimeout(timer)
        reject(error)
      })
    })
    this.ready.catch(() => {})
  }

  /** Waits for the end that it comes to by itself, which has to be a good one. */
  async done(): Promise<void> {
    const how = await this.exited
    if (how !== 0) throw this.#failure(`ended (${how})`)
  }

  /** Memory in MB, as the kernel counts what of it is resident. */
  get memory(): number {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))?.[1]
    return Number(kilobytes) / 1024
  }

  /** CPU time so far in seconds, of all threads. */
  get cpu(): number {
    const tasks = `/proc/${this.pid}/task`
    // Of the scheduler, in nanoseconds: what `stat` counts are ticks of 10 ms, the half of a start.
    const times = readdirSync(tasks).map((id) => {
      try {
        return Number(readFileSync(`${tasks}/${id}/schedstat`, 'latin1').split(' ')[0])
      } catch {
        // A thread that has ended since.
        return 0
      }
    })
    return times.reduce((sum, time) => sum + time, 0) / 1e9
  }

  get pid(): number {
    return this.process.pid ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGTERM')
    const timer = setTimeout(() => this.process.kill('SIGKILL'), patience)
    await this.exited
    clearTimeout(timer)
  }

  #hear(chunk: Buffer): void {
    this.#said = [this.#said[1], chunk]
  }

  #failure(what: string): Error {
    return new Error(`${this.#name} ${what}: ${Buffer.concat(this.#said).toString().trim().slice(-2000)}`)
  }
}
