import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from '../../../shared/adapters/postgres-client.ts'
import type { Links, Side } from '../../../shared/enrolment/register.ts'
import { toFailure, unavailable } from '../../../shared/errors.ts'
import { Refusal } from '../../local/refusal.ts'

/** What one side's store has of one aggregate, as far as the protocol is concerned. */
export interface Stored {
  readonly id: string
  readonly floor: number
  readonly links: Links
}

/** An outbox entry that is not settled. */
export interface Untold {
  /** UUID */
  readonly id: string
  /** The aggregate that changed. */
  readonly subject: string
  /** Milliseconds. */
  readonly age: number
}

/**
 * One side's store, read as it lies there and past the code that serves requests. Every method reads a bounded part of
 * it, and rejects with the failure `unavailable` within two seconds when the database cannot be reached.
 */
export interface Store {
  readonly side: Side
  /** Aggregates that are not deleted, with all their registers, in the order of their ids from behind `after`. */
  page(after: string | undefined, limit: number): Promise<readonly Stored[]>
  /** Those of `ids` that there are, each with its registers about `others`, or with all when these are not given. */
  about(ids: readonly string[], others?: readonly string[]): Promise<ReadonlyMap<string, Stored>>
  /** Ids of the aggregates that show this id of the other side, at most `limit`. */
  showing(other: string, limit: number): Promise<readonly string[]>
  /** Outbox entries that are not settled, the oldest first. */
  untold(limit: number): Promise<readonly Untold[]>
}

/** Every aggregate of a store, a page at a time. */
export async function* pagesOf(store: Store, size: number): AsyncIterable<readonly Stored[]> {
  for (let after: string | undefined; ; ) {
    const page = await store.page(after, size)
    if (page.length > 0) yield page
    after = page.at(-1)?.id
    if (page.length < size) return
  }
}

/** How often a database that is busy, or just back, is asked; between, milliseconds. */
const [mostTries, pause] = [4, 500]

/** SQLSTATEs of a schema, or a table, that is not there. */
const notMade = ['3F000', '42P01']

/** The same store, without giving up a long comparison for one answer that came late; and failures say whose it is. */
export function persevering(store: Store): Store {
  const database = `database of the ${store.side === 'S' ? 'students' : 'courses'}`
  // Of all that failed since the last answer: later ones may say only that the driver has given up.
  let first: unknown
  const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        const answer = await ask()
        first = undefined
        return answer
      } catch (error) {
        const { code, cause } = toFailure(error)
        if (notMade.includes(errorCode(cause) ?? '')) throw lacking(database, cause)
        if (code !== 'unavailable') throw error
        first ??= cause
        if (tries === mostTries) throw unavailable(`the ${database}`, first)
        await sleep(pause)
      }
    }
  }
  return {
    side: store.side,
    page: (...asked) => patiently(() => store.page(...asked)),
    about: (...asked) => patiently(() => store.about(...asked)),
    showing: (...asked) => patiently(() => store.showing(...asked)),
    untold: (...asked) => patiently(() => store.untold(...asked)),
  }
}

function lacking(database: string, error: unknown): Refusal {
  const why = error instanceof Error ? error.message : String(error)
  return new Refusal(`The ${database} has not what this needs (${why}): npm run initialize makes it.`)
}
