import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../random.ts'
import { clock } from './clock.ts'
import { killMongodb, killNats, killPostgres, killRedis, wipe } from './engines.ts'
import type { FaultKind } from './kinds.ts'
import { duplicate, late, poisonBytes, poisonKiller, reorder } from './messages.ts'
import { cut, delay, halfOpen } from './network.ts'
import { killFunction, killSweeper, killWorker, pauseEngine, pauseFunction, rolling } from './processes.ts'
import { connections, natsFull, redisFlush, redisFull } from './resources.ts'
import { type Fault, type Stage, wait } from './stage.ts'

interface Card {
  readonly kind: FaultKind
  readonly fault: Fault
  /** In one deck. */
  readonly times: number
}

/** One fault after another, of a kind that do not disturb each other; the lanes run beside each other. */
interface Lane {
  readonly name: string
  /** Between the end of one and the beginning of the next, in milliseconds. */
  readonly gap: readonly [least: number, most: number]
  /** Those that last go on while the next ones come. */
  readonly overlapping: boolean
  readonly cards: readonly Card[]
}

const card = (kind: FaultKind, fault: Fault, times = 1): Card => ({ kind, fault, times })

const lanes: readonly Lane[] = [
  {
    name: 'kills',
    // A minute has over 40, the stillness around a wipe included.
    gap: [100, 800],
    overlapping: true,
    cards: [
      card('kill-function', killFunction, 24),
      card('kill-worker', killWorker, 16),
      card('kill-sweeper', killSweeper, 2),
    ],
  },
  {
    name: 'processes',
    gap: [6000, 24_000],
    overlapping: true,
    cards: [card('pause', pauseFunction, 3), card('rolling', rolling)],
  },
  {
    name: 'engines',
    gap: [1000, 5000],
    overlapping: false,
    cards: [
      card('kill-postgres', killPostgres),
      card('kill-nats', killNats),
      card('kill-redis', killRedis),
      card('kill-mongodb', killMongodb),
      card('pause', pauseEngine, 2),
      card('cut', cut, 2),
      card('delay', delay, 2),
      card('half-open', halfOpen, 2),
      card('wipe', wipe),
      card('redis-flush', redisFlush),
      card('redis-full', redisFull),
      card('connections', connections),
      card('nats-full', natsFull),
    ],
  },
  {
    name: 'messages',
    gap: [500, 4000],
    overlapping: false,
    cards: [
      card('duplicate', duplicate, 8),
      card('late', late, 8),
      card('reorder', reorder, 8),
      card('poison-bytes', poisonBytes, 2),
    ],
  },
  {
    name: 'killers',
    // Each lives for a minute or two: a worker has one or two of them at a time, not ten.
    gap: [10_000, 90_000],
    overlapping: false,
    cards: [card('poison-killer', poisonKiller)],
  },
  { name: 'clocks', gap: [1000, 8000], overlapping: false, cards: [card('clock', clock)] },
]

/** Breaks things as the seed says until the time is over, and has mended all of it when it resolves. */
export class Schedule {
  readonly #stage: Stage
  readonly #seed: number
  /** Those under way. */
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #failed = Promise.withResolvers<never>()
  /** Nothing begins before it resolves. */
  #calm: Promise<unknown> = Promise.resolve()

  constructor(stage: Omit<Stage, 'calmly'>, seed: number) {
    this.#seed = seed
    this.#stage = { ...stage, calmly: (work) => this.#calmly(work) }
  }

  /** Rejects with the first fault that could not be done, or not be taken back. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  async run(kinds: readonly FaultKind[]): Promise<void> {
    await Promise.all(lanes.map((lane) => this.#run(lane, kinds)))
  }

  async #run(lane: Lane, kinds: readonly FaultKind[]): Promise<void> {
    const cards = lane.cards.filter(({ kind }) => kinds.includes(kind))
    if (cards.length === 0) return
    const random = Random.of(this.#seed, lane.name)
    const { signal } = this.#stage
    for (let deck: Card[] = []; !signal.aborted; ) {
      // Every kind has its turn before one comes again.
      if (deck.length === 0) deck = random.shuffled(cards.flatMap((one) => Array(one.times).fill(one)))
      await wait(this.#stage, random.between(...lane.gap))
      await this.#calm
      const next = deck.pop()
      if (!next || signal.aborted) break
      const own = new Random(random.between(0, 2 ** 32 - 1))
      // Among those under way before it begins: one that wants to be alone looks at them.
      const done = Promise.resolve()
        .then(() => next.fault(this.#stage, own, next.kind))
        .catch(this.#failed.reject)
        .finally(() => this.#underWay.delete(done))
      this.#underWay.add(done)
      if (!lane.overlapping) await done
    }
    await Promise.all(this.#underWay)
  }

  /** Alone: once those that are under way have ended, and no other begins. */
  async #calmly<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#calm = promise
    // The caller's own is among them.
    while (this.#underWay.size > 1) await sleep(50)
    return work().finally(resolve)
  }
}
