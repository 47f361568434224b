import { isDeepStrictEqual } from 'node:util'
import { differences, differencesOf, lookAgain, type Overfull, type Seen, type Stores } from './compare.ts'
import type { InFlight } from './in-flight.ts'
import { kindOf, type Pair } from './pair.ts'

/** How many differences are looked at again together. */
const together = 100

/** How often a pair that is written again and again is looked at. */
const mostLooks = 3

/**
 * A difference. Certain is what stays although nothing is under way that could change it; of the others it cannot be said
 * yet, for what is under way does not move.
 */
export type Finding =
  | { readonly pair: Pair; readonly certain: boolean }
  | { readonly overfull: Overfull; readonly certain: true }

export interface SurveyParts {
  readonly stores: Stores
  readonly inFlight: InFlight
  readonly id: string | undefined
  /** Longest wait for what is under way, in milliseconds. */
  readonly patience: number
}

/**
 * One comparison of the stores. A difference counts as drift when it is the same, register for register, after everything
 * has arrived that was under way when it was seen; what changes meanwhile is in flight.
 */
export class Survey {
  readonly #parts: SurveyParts
  readonly seen: Seen = { students: 0, courses: 0, enrolments: 0 }
  /** Differences that were gone at another look. */
  arrived = 0
  /** Those that were others at each look: they are written again and again, and are no drift. */
  moving = 0
  /** What was under way did not arrive in time: it is not waited for again. */
  stuck = false

  constructor(parts: SurveyParts) {
    this.#parts = parts
  }

  async *findings(): AsyncIterable<Finding> {
    const { stores, id } = this.#parts
    let doubtful: Pair[] = []
    for await (const found of id === undefined
      ? differences(stores, this.seen)
      : differencesOf(id, stores, this.seen)) {
      // No message makes more links of too many: each commit keeps to the limit.
      if ('overfull' in found) yield { ...found, certain: true }
      else doubtful.push(found.pair)
      if (doubtful.length < together) continue
      yield* this.#confirmed(doubtful)
      doubtful = []
    }
    yield* this.#confirmed(doubtful)
  }

  async *#confirmed(pairs: readonly Pair[]): AsyncIterable<Finding> {
    const { stores, inFlight, patience } = this.#parts
    let doubtful = pairs
    for (let look = 1; doubtful.length > 0 && look <= mostLooks; look++) {
      if (this.stuck || !(await inFlight.arrived(patience))) {
        this.stuck = true
        break
      }
      const again = await lookAgain(stores, doubtful)
      const changed: Pair[] = []
      for (const [i, pair] of again.entries()) {
        if (!kindOf(pair)) this.arrived++
        else if (isDeepStrictEqual(pair, doubtful[i])) yield { pair, certain: true }
        else changed.push(pair)
      }
      doubtful = changed
    }
    if (this.stuck) for (const pair of doubtful) yield { pair, certain: false }
    else this.moving += doubtful.length
  }
}
