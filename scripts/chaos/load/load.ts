import { setTimeout as sleep } from 'node:timers/promises'
import type { Recorder, Service } from '../history.ts'
import { Random } from '../random.ts'
import type { Client } from './client.ts'
import { createOne, operate, wantedCount } from './operations.ts'
import { limitOf, Population } from './population.ts'

const writers = 6
const readers = 2

/** Clients that write and read until they are told to stop; they can be held in between. */
export class Load {
  readonly population = new Population()
  readonly #client: Client
  readonly #recorder: Recorder
  readonly #seed: number
  readonly #stopping = new AbortController()
  #held: PromiseWithResolvers<void> | undefined
  #working: Promise<unknown> = Promise.resolve()
  #underWay = 0

  constructor(client: Client, recorder: Recorder, seed: number) {
    this.#client = client
    this.#recorder = recorder
    this.#seed = seed
  }

  /** Makes what the clients work with: two courses are full from the beginning. */
  async fill(): Promise<void> {
    const random = Random.of(this.#seed, 'fill')
    const hands = { client: this.#client, population: this.population, random }
    const make = async (service: Service, count: number): Promise<void> => {
      for (let i = 0; i < count; i += 5)
        await Promise.all(
          Array.from({ length: Math.min(5, count - i) }, () => createOne(hands, service, [], true)),
        )
    }
    await make('students', wantedCount.students)
    await make('courses', wantedCount.courses - 2)
    for (let i = 0; i < 2; i++)
      await createOne(hands, 'courses', random.some(this.population.ids('students'), limitOf.courses), true)
  }

  start(): void {
    const clients = [
      ...Array.from({ length: writers }, (_, i) =>
        this.#each(`writer ${i}`, (random) => this.#write(random)),
      ),
      ...Array.from({ length: readers }, (_, i) => this.#each(`reader ${i}`, (random) => this.#read(random))),
    ]
    this.#working = Promise.all(clients)
  }

  /** Nothing new is asked, and nothing is under way any more, when it resolves. */
  async hold(): Promise<void> {
    this.#held ??= Promise.withResolvers()
    while (this.#underWay > 0) await sleep(20)
  }

  release(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.release()
    await this.#working
  }

  /**
   * Each service accepts a write again, within so many milliseconds.
   * @throws where one does not: what was broken is mended, and it has not recovered
   */
  async writeAgain(ms: number, signal: AbortSignal): Promise<void> {
    const random = Random.of(this.#seed, 'again')
    const hands = { client: this.#client, population: this.population, random }
    for (
      const end = performance.now() + ms, left = new Set<Service>(['students', 'courses']);
      left.size > 0;
    ) {
      for (const service of left)
        if ((await createOne(hands, service, [], true)).outcome === 'acknowledged') left.delete(service)
      signal.throwIfAborted()
      if (left.size > 0 && performance.now() > end)
        throw new Error(
          `${[...left].join(' and ')} accepted no write in ${ms / 1000} s, though nothing was broken any more`,
        )
    }
  }

  async #each(name: string, act: (random: Random) => Promise<void>): Promise<void> {
    const random = Random.of(this.#seed, name)
    while (!this.#stopping.signal.aborted) {
      await this.#held?.promise
      this.#underWay++
      try {
        await act(random)
      } finally {
        this.#underWay--
      }
      await sleep(random.between(20, 120))
    }
  }

  #write(random: Random): Promise<void> {
    return operate({ client: this.#client, population: this.population, random })
  }

  /** Looks most at what was written last: that is where something old could still be shown. */
  async #read(random: Random): Promise<void> {
    const { population } = this
    const service: Service = random.chance(0.6) ? 'students' : 'courses'
    const recent = this.#recorder.writes
      .slice(-12)
      .flatMap(({ service: of, id }) => (of === service && id ? [id] : []))
    const id = random.pick(random.chance(0.7) && recent.length > 0 ? recent : population.ids(service))
    if (id === undefined) return
    const kind = random.weighted([
      [6, 'one'],
      [2, 'list'],
      [2, 'related'],
    ] as const)
    const other = service === 'students' ? 'courses' : 'students'
    const read =
      kind === 'one'
        ? await this.#client.one(service, id)
        : kind === 'list'
          ? await this.#client.list(service)
          : await this.#client.related(other, id)
    population.see(read.service, read.seen)
  }
}
