import { setTimeout as sleep } from 'node:timers/promises'
import type { JetStreamManager } from 'nats'
import { streams } from '../../../shared/messages/streams.ts'
import type { Stores } from './compare.ts'
import type { Store, Untold } from './store.ts'

/** What waits to be told, or to be taken by a worker. */
export interface Waiting {
  /** `outbox of the students`, or a stream. */
  readonly where: string
  readonly count: number
  /** Of the oldest, in seconds. */
  readonly age: number
}

/** Most entries of an outbox that are looked at; it has to become shorter before anything is certain. */
const mostEntries = 1000

/**
 * The longest way of a message: outbox, fan-out, the other side, and the answer of that: an outbox again, and a stream.
 */
const legs = 3

/** Milliseconds: a long comparison waits often. */
const tellEvery = 5000

/** What is under way between the two sides. */
export class InFlight {
  readonly #stores: Stores
  readonly #manager: JetStreamManager
  readonly #tell: (what: string) => void
  #told = Number.NEGATIVE_INFINITY

  /** @param tell hears of a wait when it begins */
  constructor(stores: Stores, manager: JetStreamManager, tell: (what: string) => void) {
    this.#stores = stores
    this.#manager = manager
    this.#tell = tell
  }

  /**
   * Waits until all has arrived that was under way at the call, with what it caused; what is sent meanwhile does not count,
   * so a busy system is waited for no longer than an idle one. False when that takes longer than `patience`, in
   * milliseconds: something does not move.
   */
  async arrived(patience: number): Promise<boolean> {
    const until = performance.now() + patience
    await this.#tellOfWait()
    for (let leg = 0; leg < legs; leg++) {
      if (!(await holds(until, await outboxesTold(this.#stores)))) return false
      if (!(await holds(until, await this.#streamsTaken()))) return false
    }
    return true
  }

  async #tellOfWait(): Promise<void> {
    if (performance.now() - this.#told < tellEvery) return
    const waiting = await this.waiting()
    if (waiting.length === 0) return
    this.#told = performance.now()
    this.#tell(`waiting for what is on its way (${inWords(waiting)})`)
  }

  /** All that waits now. */
  async waiting(): Promise<Waiting[]> {
    const found: Waiting[] = []
    for (const [where, untold] of Object.entries(await this.#untold())) {
      const [oldest] = untold
      if (oldest) found.push({ where, count: untold.length, age: Math.round(oldest.age / 1000) })
    }
    for (const where of Object.keys(streams)) {
      const { messages, first_ts } = await this.#state(where)
      if (messages === 0) continue
      const age = Math.max(0, Math.round((Date.now() - Date.parse(String(first_ts))) / 1000))
      found.push({ where: `stream ${where}`, count: messages, age })
    }
    return found
  }

  async #untold(): Promise<Readonly<Record<string, readonly Untold[]>>> {
    const { S, C } = this.#stores
    const [students, courses] = await Promise.all([S.untold(mostEntries), C.untold(mostEntries)])
    return { 'outbox of the students': students, 'outbox of the courses': courses }
  }

  /** Whether the messages of this moment are settled: what a worker is done with is in its stream no longer. */
  async #streamsTaken(): Promise<() => Promise<boolean>> {
    const names = Object.keys(streams)
    const last = await Promise.all(names.map(async (name) => (await this.#state(name)).last_seq))
    return async () => {
      const states = await Promise.all(names.map((name) => this.#state(name)))
      return states.every(({ messages, first_seq }, i) => messages === 0 || first_seq > (last[i] ?? 0))
    }
  }

  async #state(stream: string) {
    return (await this.#manager.streams.info(stream)).state
  }
}

/** Whether the entries of this moment are settled, on both sides. */
export async function outboxesTold({ S, C }: Stores): Promise<() => Promise<boolean>> {
  const sides = await Promise.all([S, C].map(outboxTold))
  return async () => (await Promise.all(sides.map((told) => told()))).every(Boolean)
}

/** By their ids: clocks need not agree. */
async function outboxTold(store: Store): Promise<() => Promise<boolean>> {
  const now = (): Promise<readonly Untold[]> => store.untold(mostEntries)
  let before = await now()
  return async () => {
    const still = new Set((await now()).map(({ id }) => id))
    const told = before.every(({ id }) => !still.has(id))
    if (!told || before.length < mostEntries) return told
    // There were more than could be looked at.
    before = await now()
    return before.length === 0
  }
}

export function inWords(waiting: readonly Waiting[]): string {
  return waiting.map(({ where, count }) => `${where}: ${count}`).join(', ')
}

async function holds(until: number, condition: () => Promise<boolean>): Promise<boolean> {
  for (let wait = 5; !(await condition()); wait = Math.min(wait * 2, 500)) {
    if (performance.now() > until) return false
    await sleep(wait)
  }
  return true
}
