import { Pool } from 'undici'
import type { FunctionName } from '../../shared/spec/names.ts'
import { FunctionProcess, NotReady, type Surroundings } from './function-process.ts'
import { Turnstile } from './turnstile.ts'

/** No process could be started. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** A process and those who use it. */
export interface Instance {
  readonly process: FunctionProcess
  readonly port: number
  /** Connections to its port. */
  readonly pool: Pool
  /** Counts one more use until it is released; nothing when the process is on its way out. */
  hold(): (() => void) | undefined
}

interface Slot {
  readonly process: FunctionProcess
  readonly instance: Promise<Instance>
  uses: number
  idle: NodeJS.Timeout
}

export interface ActivatorOptions {
  readonly name: FunctionName
  readonly around: Surroundings
  readonly idleMs: number
  /** Longest wait for an answer, in ms. */
  readonly timeout: number
  /** Requests that its process is given at a time; others wait for a turn. */
  readonly concurrency: number
}

/**
 * For a turn. With what a function does about a database that does not answer, 503 comes within two seconds whoever waits;
 * where many only come at once, each has its turn.
 */
const patience = { standstill: 500, longest: 5000 }

/** How long processes are started for one use while others end them before they are up, in ms: a rollout may meet several. */
const startPatience = 5000

/** Scales one function from zero to one and back: started by its first use, stopped when nobody has used it for long. */
export class Activator {
  readonly name: FunctionName
  readonly #options: ActivatorOptions
  readonly #turnstile: Turnstile
  #current: Slot | undefined
  readonly #all = new Set<Slot>()
  #closed = false

  constructor(options: ActivatorOptions) {
    this.name = options.name
    this.#options = options
    this.#turnstile = new Turnstile(options.concurrency, patience)
  }

  /**
   * Runs work with a process that is up; while it runs, the process is not stopped for idleness.
   * @param served whether others who wait may hope
   * @throws TooBusy, StartError
   */
  async use<T>(work: (instance: Instance) => Promise<T>, served?: (result: T) => boolean): Promise<T> {
    const { instance, release } = await this.acquire()
    try {
      // Not before: a start takes the time that it takes, however many wait for it.
      return await this.#turnstile.through(() => work(instance), served)
    } finally {
      release()
    }
  }

  /** Choosing a slot and counting the use are one step: between them nothing can stop the process. */
  async acquire(): Promise<{ instance: Instance; release: () => void }> {
    for (const end = performance.now() + startPatience; ; ) {
      const slot = this.#slot()
      const release = this.#hold(slot)
      try {
        return { instance: await slot.instance, release }
      } catch (error) {
        if (this.#current === slot) this.#current = undefined
        release()
        if (error instanceof NotReady && error.killed && performance.now() < end) continue
        throw new StartError(`${this.name.full} ${error instanceof Error ? error.message : 'did not start'}`)
      }
    }
  }

  #hold(slot: Slot): () => void {
    slot.uses++
    let released = false
    return () => {
      if (released) return
      released = true
      slot.uses--
      // A timer that was cleared would come back to life.
      if (!slot.process.gone) slot.idle.refresh()
      if (slot.uses === 0 && this.#current !== slot) void this.#retire(slot)
    }
  }

  /** The next use gets a process that starts then; with a process, only if it is still that one. */
  renew(of?: FunctionProcess): void {
    const slot = this.#current
    if (!slot || (of && slot.process !== of)) return
    this.#current = undefined
    if (slot.uses === 0) void this.#retire(slot)
  }

  get processes(): FunctionProcess[] {
    return [...this.#all].map(({ process }) => process)
  }

  get isUp(): boolean {
    return this.#current !== undefined && !this.#current.process.gone
  }

  async stop(): Promise<void> {
    this.#closed = true
    this.#current = undefined
    await Promise.all([...this.#all].map((slot) => this.#retire(slot)))
  }

  #slot(): Slot {
    if (this.#closed) throw new StartError('the run is stopping')
    if (this.#current?.process.gone) this.renew()
    this.#current ??= this.#start()
    return this.#current
  }

  #start(): Slot {
    const { name, around, idleMs, timeout, concurrency } = this.#options
    const process = new FunctionProcess(name, around)
    const instance = process.ready.then((port) => {
      const settings = {
        connections: concurrency,
        pipelining: 1,
        headersTimeout: timeout,
        bodyTimeout: timeout,
      }
      const hold = (): (() => void) | undefined =>
        this.#current === slot && !process.gone ? this.#hold(slot) : undefined
      return { process, port, pool: new Pool(`http://127.0.0.1:${port}`, settings), hold }
    })
    instance.catch(() => {})
    const idle = setTimeout(() => {
      if (slot.uses > 0) return
      if (this.#current === slot) this.#current = undefined
      this.#retire(slot)
    }, idleMs)
    idle.unref()
    const slot: Slot = { process, instance, uses: 0, idle }
    this.#all.add(slot)
    process.exited.then(async () => {
      clearTimeout(idle)
      this.#all.delete(slot)
      if (this.#current === slot) this.#current = undefined
      await instance.then(({ pool }) => pool.destroy()).catch(() => {})
    })
    return slot
  }

  async #retire(slot: Slot): Promise<void> {
    clearTimeout(slot.idle)
    await slot.process.stop()
  }
}
