import { type ConsumerInfo, connect, type JetStreamManager, type NatsConnection } from 'nats'
import { natsAddress } from '../../shared/adapters/nats-address.ts'
import type { StreamTrigger } from '../../shared/spec/define-function.ts'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import { FunctionProcess, type Surroundings } from './function-process.ts'

export interface WorkerSpec {
  readonly fn: DiscoveredFunction
  readonly trigger: StreamTrigger
}

interface ScalerOptions {
  readonly url: string
  readonly workers: readonly WorkerSpec[]
  readonly around: Surroundings
  readonly idleMs: number
}

const pollMs = 500
/** A worker that ends sooner than this did not get to work. */
const tooSoonMs = 2000

/** Starts a worker when its consumer has messages and stops it when it had none for long, as KEDA does on a cluster. */
export class Scaler implements AsyncDisposable {
  readonly #workers: readonly Worker[]
  readonly #options: ScalerOptions
  readonly #timer: NodeJS.Timeout
  #connection: NatsConnection | undefined
  #manager: JetStreamManager | undefined
  #polling = false
  #closed = false

  constructor(options: ScalerOptions) {
    this.#options = options
    this.#workers = options.workers.map(({ fn, trigger }) => new Worker(fn, trigger, options))
    this.#timer = setInterval(() => void this.#poll(), pollMs)
    if (options.workers.length > 0) void this.#connect()
  }

  get processes(): FunctionProcess[] {
    return this.#workers.flatMap(({ processes }) => processes)
  }

  /** Processes of old sources give way to new ones. */
  renew(): void {
    for (const worker of this.#workers) worker.renew()
  }

  async #connect(): Promise<void> {
    const { url, around } = this.#options
    try {
      // Survives restarts of the server: it never stops trying, and notices one that vanished without a word.
      const endless = {
        maxReconnectAttempts: -1,
        reconnectTimeWait: 100,
        waitOnFirstConnect: true,
        pingInterval: 2000,
        maxPingOut: 2,
      }
      const connection = await connect({ ...natsAddress(url), ...endless })
      if (this.#closed) {
        await connection.close()
        return
      }
      this.#connection = connection
      for (const worker of this.#workers) {
        // The message itself says it sooner than any poll.
        connection.subscribe(worker.trigger.subject, { callback: () => worker.need() })
      }
      this.#manager = await connection.jetstreamManager({ checkAPI: false, timeout: 2000 })
      void this.#poll()
    } catch (error) {
      around.output.event('error', 'events cannot be watched', {
        reason: error instanceof Error ? error.message : String(error),
      })
    }
  }

  async #poll(): Promise<void> {
    const manager = this.#manager
    if (!manager || this.#polling || this.#closed) return
    this.#polling = true
    await Promise.all(
      this.#workers.map(async (worker) => {
        const info = await manager.consumers
          .info(worker.trigger.stream, worker.fn.name.slug)
          .catch(() => undefined)
        if (info && !this.#closed) worker.lag(lagOf(info))
      }),
    )
    this.#polling = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await Promise.all([
      this.#connection?.close().catch(() => {}),
      ...this.#workers.map((worker) => worker.stop()),
    ])
  }
}

const lagOf = ({ num_pending, num_ack_pending }: ConsumerInfo): number => num_pending + num_ack_pending

class Worker {
  readonly fn: DiscoveredFunction
  readonly trigger: StreamTrigger
  readonly #around: Surroundings
  readonly #idleMs: number
  readonly #all = new Set<FunctionProcess>()
  #current: FunctionProcess | undefined
  #needed = performance.now()
  #quickDeaths = 0
  #notBefore = 0
  #closed = false

  constructor(fn: DiscoveredFunction, trigger: StreamTrigger, { around, idleMs }: ScalerOptions) {
    this.fn = fn
    this.trigger = trigger
    this.#around = around
    this.#idleMs = idleMs
  }

  get processes(): FunctionProcess[] {
    return [...this.#all]
  }

  lag(lag: number): void {
    if (lag > 0) this.need()
    else if (this.#current && performance.now() - this.#needed >= this.#idleMs) this.renew()
  }

  need(): void {
    this.#needed = performance.now()
    if (this.#closed || (this.#current && !this.#current.gone) || this.#needed < this.#notBefore) return
    this.#start()
  }

  #start(): void {
    const process = new FunctionProcess(this.fn.name, this.#around)
    const began = performance.now()
    this.#current = process
    this.#all.add(process)
    process.exited.then(() => {
      this.#all.delete(process)
      if (this.#current === process) this.#current = undefined
      if (process.stopping) return
      const quick = performance.now() - began < tooSoonMs
      this.#quickDeaths = quick ? this.#quickDeaths + 1 : 0
      // The first time at once: it may have been killed by hand.
      const wait = this.#quickDeaths > 1 ? Math.min(250 * 2 ** this.#quickDeaths, 15_000) : 0
      this.#notBefore = performance.now() + wait
    })
  }

  /** Ends the process that there is, which finishes what it has; the next need starts another. */
  renew(): void {
    const current = this.#current
    this.#current = undefined
    void current?.stop()
  }

  async stop(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#all].map((process) => process.stop()))
  }
}
