/** There was no turn in time. */
export class TooBusy extends Error {
  override readonly name = 'TooBusy'
}

export interface Patience {
  /** Longest that somebody waits while nobody is served, in ms. */
  readonly standstill: number
  /** Longest that somebody waits while others are, in ms. */
  readonly longest: number
}

/** Lets so many through at a time, in the order in which they came; who waits too long is turned away. */
export class Turnstile {
  readonly #most: number
  readonly #patience: Patience
  readonly #waiting = new Set<() => void>()
  #through = 0
  #lastServed = Number.NEGATIVE_INFINITY

  constructor(most: number, patience: Patience) {
    this.#most = most
    this.#patience = patience
  }

  /**
   * Runs work in its turn.
   * @param served whether what came of it was what was wanted: those who wait see that it goes on
   * @throws TooBusy
   */
  async through<T>(work: () => Promise<T>, served: (result: T) => boolean = () => true): Promise<T> {
    if (this.#through < this.#most) this.#through++
    else await this.#turn()
    try {
      const result = await work()
      if (served(result)) this.#lastServed = performance.now()
      return result
    } finally {
      this.#leave()
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { standstill, longest } = this.#patience
      const began = performance.now()
      const mine = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const look = (): void => {
        const now = performance.now()
        const until = Math.min(began + longest, Math.max(began, this.#lastServed) + standstill)
        if (now < until) {
          timer = setTimeout(look, until - now)
          return
        }
        this.#waiting.delete(mine)
        reject(new TooBusy(`no turn within ${Math.round(now - began)} ms`))
      }
      let timer = setTimeout(look, standstill)
      this.#waiting.add(mine)
    })
  }

  /** Whoever leaves hands the place on. */
  #leave(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#through--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
