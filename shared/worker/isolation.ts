/** How long the first that comes again waits for others that come again with it, in milliseconds. */
const gathering = 50

/**
 * Lets messages of a first delivery run together, and each that comes again alone. It may be what killed the worker that
 * had it, and a death counts as a delivery for all that the worker held: among others it would lead them to the dead
 * letters with it. Those that come again together come in a random order, so that of the ones behind it half are done
 * before it each time, where a fixed order would have all of them die with it each time.
 */
export class Isolation {
  #together = 0
  #alone = false
  /** Whether those that came again together have come. */
  #gathered = false
  readonly #suspects: (() => void)[] = []
  #others: (() => void)[] = []

  /** Runs work beside others, when nothing runs or waits to run alone. */
  async together<T>(work: () => Promise<T>): Promise<T> {
    if (this.#alone || this.#gathered) await new Promise<void>((resolve) => this.#others.push(resolve))
    else this.#together++
    try {
      return await work()
    } finally {
      this.#together--
      this.#next()
    }
  }

  /** Runs work while nothing else runs. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#suspects.length === 0) setTimeout(() => this.#begin(), gathering)
    await new Promise<void>((resolve) => this.#suspects.push(resolve))
    try {
      return await work()
    } finally {
      this.#alone = false
      // Whoever waited meanwhile comes before the next one: nobody waits for all suspects.
      const others = this.#others
      this.#others = []
      this.#together += others.length
      for (const go of others) go()
      this.#next()
    }
  }

  #begin(): void {
    this.#gathered = true
    this.#next()
  }

  #next(): void {
    if (this.#alone || this.#together > 0 || !this.#gathered) return
    const [next] = this.#suspects.splice(Math.floor(Math.random() * this.#suspects.length), 1)
    this.#gathered = this.#suspects.length > 0
    if (!next) return
    this.#alone = true
    next()
  }
}
