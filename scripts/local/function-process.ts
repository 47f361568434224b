import { type ChildProcess, spawn } from 'node:child_process'
import type { MetricsJson } from '../../shared/exposition.ts'
import type { FunctionName } from '../../shared/spec/names.ts'
import type { Guardian } from './guardian.ts'
import type { Launcher } from './launch.ts'
import type { MetricsArchive } from './metrics.ts'
import type { Output } from './output.ts'
import { processStat } from './process-table.ts'

/** What all processes of a run share. */
export interface Surroundings {
  readonly root: string
  readonly launcher: Launcher
  readonly guardian: Guardian
  readonly output: Output
  readonly archive: MetricsArchive
  /** Environment of the function. */
  env(name: FunctionName): Record<string, string>
  /** Told when a process ended otherwise than by our wish or its own. */
  onCrash(name: FunctionName): void
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const startTimeout = 10_000
/** Between SIGTERM and SIGKILL. */
const drainTimeout = 5000

/** A process did not come to serve. */
export class NotReady extends Error {
  override readonly name = 'NotReady'
  /** From outside: another may well come to it. */
  readonly killed: boolean

  constructor(message: string, killed: boolean) {
    super(message)
    this.killed = killed
  }
}

/** One process of one function. */
export class FunctionProcess {
  readonly name: FunctionName
  readonly exited: Promise<Exit>
  /** The port it listens on; rejects when it ends before, or does not come to it in time. */
  readonly ready: Promise<number>
  readonly #child: ChildProcess
  readonly #around: Surroundings
  readonly #runsToEnd: boolean
  readonly #began = performance.now()
  #gone = false
  #closing = false
  #exchanges = 0
  #stopping = false
  #final = false
  #lastScrape: MetricsJson | undefined
  #scrapers: ((metrics: MetricsJson | undefined) => void)[] = []
  /** Questions without their own answer yet, those that nobody waits for any more included. */
  #unanswered = 0

  constructor(name: FunctionName, around: Surroundings, { runsToEnd = false } = {}) {
    const { command, args } = around.launcher.launch(name)
    const child = spawn(command, [...args], {
      cwd: around.root,
      detached: true,
      env: around.env(name),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.name = name
    this.#runsToEnd = runsToEnd
    this.#child = child
    this.#around = around
    around.guardian.watch(child)
    around.output.follow(child.stdout, child.stderr)
    child.on('message', (message) => this.#hear(message))
    this.exited = new Promise((resolve) => {
      const settle = (exit: Exit): void => {
        if (this.#gone) return
        this.#gone = true
        this.#left(exit)
        resolve(exit)
      }
      child.once('exit', (code, signal) => settle({ code, signal }))
      // The sockets of a process that is dying close before it does.
      child.once('disconnect', () => {
        this.#closing = true
      })
      child.on('error', () => {
        if (child.pid === undefined) settle({ code: 127, signal: null })
      })
    })
    this.ready = runsToEnd ? Promise.resolve(0) : this.#untilReady()
    this.ready.catch(() => {})
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Nothing should be sent to it any more. */
  get gone(): boolean {
    return this.#gone || this.#stopping || this.#closing
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /** Asks the kernel, for what must not be sent to a dying process: its exit may not have been told yet. */
  isDying(): boolean {
    if (this.gone) return true
    return process.platform === 'linux' && processStat(this.pid)?.exiting !== false
  }

  #untilReady(): Promise<number> {
    const { output } = this.#around
    return new Promise((resolve, reject) => {
      const fail = (why: string, killed = false): void => {
        clearTimeout(timer)
        reject(new NotReady(why, killed))
      }
      const timer = setTimeout(() => {
        fail('did not get ready in time')
        output.event('error', 'not ready in time', { function: this.name.full, pid: this.pid })
        this.#child.kill('SIGKILL')
      }, startTimeout)
      // What fails by itself says so with its code; 0 is of one that was asked to end.
      this.exited.then(({ code, signal }) =>
        fail(`ended at its start (${signal ?? code})`, signal !== null || code === 0),
      )
      this.#child.on('message', (message) => {
        const port = portOf(message)
        if (port === undefined) return
        clearTimeout(timer)
        const took = Math.round(performance.now() - this.#began)
        output.event('info', 'started', { function: this.name.full, pid: this.pid, duration_ms: took })
        resolve(port)
      })
    })
  }

  /** An exchange with it: one that ends is not left alone before everything that was begun with it has its answer. */
  async exchange<T>(work: () => Promise<T>): Promise<T> {
    this.#exchanges++
    try {
      return await work()
    } finally {
      this.#exchanges--
      if (this.#closing) this.#leaveAlone()
    }
  }

  #leaveAlone(): void {
    if (this.#exchanges === 0 && this.#child.connected) this.#child.send({ type: 'left alone' }, () => {})
  }

  /** Its metrics, or nothing when it does not answer within the time. */
  async scrape(timeout = 1000): Promise<MetricsJson | undefined> {
    if (this.#gone || !this.#child.connected) return undefined
    return new Promise((resolve) => {
      const settle = (metrics: MetricsJson | undefined): void => {
        clearTimeout(timer)
        resolve(metrics)
      }
      const timer = setTimeout(() => settle(undefined), timeout)
      this.#scrapers.push(settle)
      this.#unanswered++
      this.#child.send({ type: 'metrics?' }, (error) => {
        if (!error) return
        this.#unanswered--
        settle(undefined)
      })
    })
  }

  /**
   * What counts of it in the merged view: of one that does not answer in time what was seen last, so that no counter
   * falls. Asked for afterwards, it is nothing once the process has ended, since the archive has it then.
   */
  async metrics(): Promise<() => MetricsJson | undefined> {
    const seen = (await this.scrape()) ?? this.#lastScrape
    return () => (this.#gone ? undefined : seen)
  }

  /** A process that neither answers requests nor messages hangs: it is killed, so that the next request gets another. */
  async killIfHung(): Promise<void> {
    if (this.gone || (await this.scrape(2000)) !== undefined || this.gone) return
    this.#around.output.event('error', 'hangs, killed', { function: this.name.full, pid: this.pid })
    this.#child.kill('SIGKILL')
  }

  /** Lets it finish what it has, and makes sure of its end. */
  async stop(): Promise<void> {
    if (this.#gone) return
    this.#stopping = true
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), drainTimeout)
    await this.exited
    clearTimeout(timer)
  }

  kill(): void {
    this.#stopping = true
    this.#child.kill('SIGKILL')
  }

  #hear(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('type' in message)) return
    // Asked by somebody else: it finishes what it has, and another process is given what comes.
    if (message.type === 'stopping') {
      this.#closing = true
      this.#leaveAlone()
    }
    if (message.type !== 'metrics' || !('metrics' in message) || !Array.isArray(message.metrics)) return
    const metrics: MetricsJson = message.metrics
    for (const settle of this.#scrapers.splice(0)) settle(metrics)
    this.#lastScrape = metrics
    if (this.#unanswered > 0) this.#unanswered--
    else this.#final = true
  }

  #left({ code, signal }: Exit): void {
    const { archive, output, onCrash } = this.#around
    for (const settle of this.#scrapers.splice(0)) settle(undefined)
    // Its last message, which precedes its exit; of one that was killed what was seen last, so that no counter falls.
    if (this.#lastScrape) archive.keep(this.#lastScrape, this.#runsToEnd ? this.name.full : undefined)
    const crashed = code !== 0 && !(this.#stopping && signal === 'SIGTERM')
    const how = crashed ? { [signal ? 'signal' : 'code']: signal ?? code } : {}
    const complete = this.#final ? {} : { metrics: 'lost' }
    output.event(crashed ? 'warn' : 'info', crashed ? 'died' : 'stopped', {
      function: this.name.full,
      pid: this.pid,
      ...how,
      ...(crashed ? complete : {}),
    })
    // A scheduled run that failed is tried again by its schedule; one that was killed left things behind.
    if (crashed && !this.#stopping && (signal || !this.#runsToEnd)) onCrash(this.name)
  }
}

function portOf(message: unknown): number | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message) || message.type !== 'ready')
    return undefined
  return 'port' in message && typeof message.port === 'number' ? message.port : 0
}
