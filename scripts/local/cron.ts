import type { FunctionName } from '../../shared/spec/names.ts'
import { FunctionProcess, type Surroundings } from './function-process.ts'

const everyMs = 60_000
/** After a death: leases and redelivery times of what it held have passed by then. */
const afterDeathMs = 6000

/** Runs the scheduled functions: at the start, each minute, and a little after something died. */
export class Cron implements AsyncDisposable {
  readonly #names: readonly FunctionName[]
  readonly #around: Surroundings
  readonly #running = new Map<string, FunctionProcess>()
  readonly #again = new Set<string>()
  readonly #timer: NodeJS.Timeout
  #soon: NodeJS.Timeout | undefined
  #closed = false

  constructor(names: readonly FunctionName[], around: Surroundings) {
    this.#names = names
    this.#around = around
    this.#timer = setInterval(() => this.run(), everyMs)
    this.run()
  }

  get processes(): FunctionProcess[] {
    return [...this.#running.values()]
  }

  /** Something died: what it left behind is swept up soon. */
  afterDeath(): void {
    if (this.#closed) return
    clearTimeout(this.#soon)
    this.#soon = setTimeout(() => this.run(), afterDeathMs)
  }

  run(): void {
    if (this.#closed) return
    for (const name of this.#names) this.#start(name)
  }

  #start(name: FunctionName): void {
    // Never two at a time: what comes meanwhile runs afterwards.
    if (this.#running.has(name.full)) {
      this.#again.add(name.full)
      return
    }
    const process = new FunctionProcess(name, this.#around, { runsToEnd: true })
    this.#running.set(name.full, process)
    process.exited.then(() => {
      this.#running.delete(name.full)
      if (this.#again.delete(name.full) && !this.#closed) this.#start(name)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    await Promise.all([...this.#running.values()].map((process) => process.stop()))
  }
}
