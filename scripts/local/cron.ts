import { Cron as Clock } from 'croner'
import type { CronTrigger } from '../../shared/spec/define-function.ts'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import type { FunctionName } from '../../shared/spec/names.ts'
import { FunctionProcess, type Surroundings } from './function-process.ts'

/** After a death: leases and redelivery times of what it held have passed by then. */
const afterDeathMs = 6000

export interface Scheduled {
  readonly name: FunctionName
  readonly trigger: CronTrigger
}

/** Five fields, in UTC, as a CronJob on a cluster reads them; throws where they are none. */
const clock = (schedule: string): Clock => new Clock(schedule, { mode: '5-part', timezone: 'UTC' })

/** What is wrong with the schedules, a sentence each. */
export function scheduleProblems(functions: readonly DiscoveredFunction[]): string[] {
  return functions.flatMap(({ name, declaration: { trigger } }) => {
    if (trigger.kind !== 'cron') return []
    try {
      clock(trigger.schedule)
      return []
    } catch {
      return [`The schedule of ${name.full}, "${trigger.schedule}", is not one of five cron fields.`]
    }
  })
}

/**
 * Runs the scheduled functions: at the ticks of their schedules, a little after something died, and at the start, which
 * stands for the ticks that were missed while nothing ran.
 */
export class Cron implements AsyncDisposable {
  readonly #scheduled: readonly Scheduled[]
  readonly #around: Surroundings
  readonly #running = new Map<string, FunctionProcess>()
  readonly #again = new Set<string>()
  readonly #clocks: readonly Clock[]
  #soon: NodeJS.Timeout | undefined
  #more = false
  #closed = false

  constructor(scheduled: readonly Scheduled[], around: Surroundings) {
    this.#scheduled = scheduled
    this.#around = around
    this.#clocks = scheduled.map(({ name, trigger }) =>
      clock(trigger.schedule).schedule(() => this.#start(name)),
    )
    this.run()
  }

  get processes(): FunctionProcess[] {
    return [...this.#running.values()]
  }

  /** Something died: what it left behind is swept up soon, however many die meanwhile; and what those left, after that. */
  afterDeath(): void {
    if (this.#closed) return
    if (this.#soon) {
      this.#more = true
      return
    }
    this.#soon = setTimeout(() => {
      this.#soon = undefined
      this.run()
      if (!this.#more) return
      this.#more = false
      this.afterDeath()
    }, afterDeathMs)
  }

  run(): void {
    for (const { name } of this.#scheduled) this.#start(name)
  }

  #start(name: FunctionName): void {
    if (this.#closed) return
    // Never two at a time: what comes meanwhile runs afterwards.
    if (this.#running.has(name.full)) {
      this.#again.add(name.full)
      return
    }
    const process = new FunctionProcess(name, this.#around, { runsToEnd: true })
    this.#running.set(name.full, process)
    process.exited.then(() => {
      this.#running.delete(name.full)
      if (this.#again.delete(name.full)) this.#start(name)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const clock of this.#clocks) clock.stop()
    clearTimeout(this.#soon)
    await Promise.all([...this.#running.values()].map((process) => process.stop()))
  }
}
