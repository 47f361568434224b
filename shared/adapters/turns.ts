import { Failure, unavailable } from '../errors.ts'

/** Longest that a writer waits for its turn, or tries against the writers of other processes, in milliseconds. */
export const contentionPatience = 5000

/**
 * Lets the writers of one aggregate in this process go one after another. Without it n writers that compare and set would
 * try up to n times each, and n that wait for a row's lock would each hold a connection and run into its timeout. Between
 * processes the database decides.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const mine = before ? after(before, work) : work()
    this.#last.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key)
    }
  }
}

async function after<T>(before: Promise<unknown>, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + contentionPatience
  try {
    await before
  } catch (error) {
    // A refusal is its writer's own. But a database that did not answer one is not waited for by each behind it.
    if (error instanceof Failure && error.code === 'unavailable' && !(error.cause instanceof Contention))
      throw error
  }
  if (performance.now() > until) throw contended('the writers before took too long')
  return work()
}

/** The database answers, but too many write the same. */
class Contention extends Error {
  override readonly name = 'Contention'
}

export function contended(why: string): Failure {
  return unavailable('the database', new Contention(why))
}
