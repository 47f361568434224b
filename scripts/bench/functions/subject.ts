import type { Redis } from 'ioredis'
import type { Sample } from '../cold.ts'
import type { Child } from '../process.ts'
import type { SpawnOptions } from '../stage.ts'
import { median } from '../statistics.ts'
import type { Filled } from './requests.ts'

/** What every function is measured among. */
export interface Scene {
  readonly spawn: (name: string, options?: Omit<SpawnOptions, 'env'>) => Child
  readonly eventsUrl: string
  /** Of a database of its own: to empty it is nobody else's loss. */
  readonly redis: Redis
  readonly filled: Filled
}

/** Seconds of a warm process' CPU time for each call. */
export interface Warm {
  readonly fresh: number
  /** The same asked once more, where answers are cached. */
  readonly again?: number
}

/** One function, as something to be measured. */
export interface Subject {
  readonly per: 'request' | 'message' | 'run'
  /** What makes it run, in a few words. */
  readonly trigger: string
  /** From the spawn to the end of its first answer, message or run, the n-th of which it is. */
  start(n: number): Promise<Sample>
  /** Rounds of so many calls, numbered from here on. Without it every run is a start. */
  warm?(from: number, calls: number): Promise<Warm>
}

/** From the spawn until it did the first thing that it is there for; it is ended then. */
export async function firstOf(spawn: () => Child, done: (child: Child) => Promise<void>): Promise<Sample> {
  const began = performance.now()
  await using child = spawn()
  await done(child)
  const ms = performance.now() - began
  const { memory, cpu } = child
  return { ms, memory, cpu }
}

/** Before what counts, V8 compiles what is hot. */
const warmUps = 5
const counted = 5

/** What `warm` uses up, in rounds of calls. */
export const roundsOfWarm = warmUps + counted

/** Seconds for each call of the rounds that count: their median. */
export async function perCall(
  child: Child,
  calls: number,
  round: (round: number) => Promise<void>,
): Promise<number> {
  const seconds: number[] = []
  for (let n = 0; n < roundsOfWarm; n++) {
    const before = child.cpu
    await round(n)
    seconds.push((child.cpu - before) / calls)
  }
  return median(seconds.slice(warmUps))
}
