import { Failure, unavailable } from '../errors.ts'

/**
 * Lets the writers of one aggregate in this process go one after another: compare-and-set alone would have each of n
 * writers try up to n times. Between processes it still decides.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const mine = before ? before.then(work, (error: unknown) => afterFailure(error, work)) : work()
    this.#last.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key)
    }
  }
}

/** A refusal is its writer's own. But a database that did not answer one will not be waited for by each behind it. */
function afterFailure<T>(error: unknown, work: () => Promise<T>): Promise<T> {
  if (error instanceof Failure && error.code === 'unavailable' && !(error.cause instanceof Contention))
    throw error
  return work()
}

/** Writers of other processes were faster every time. */
class Contention extends Error {
  override readonly name = 'Contention'
}

export function outpaced(tries: number): Failure {
  return unavailable('the database', new Contention(`another writer was faster ${tries} times`))
}
