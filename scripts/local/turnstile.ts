/** There was no turn in time. */
export class TooBusy extends Error {
  override readonly name = 'TooBusy'
}

/** Lets so many through at a time, in the order in which they came; who waits too long is turned away. */
export class Turnstile {
  readonly #most: number
  readonly #patience: number
  readonly #waiting = new Set<() => void>()
  #through = 0

  /** @param patience longest that somebody waits, in ms */
  constructor(most: number, patience: number) {
    this.#most = most
    this.#patience = patience
  }

  /** Runs work in its turn. @throws TooBusy */
  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.#through < this.#most) this.#through++
    else await this.#turn()
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const mine = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(mine)
        reject(new TooBusy(`no turn within ${this.#patience} ms`))
      }, this.#patience)
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
