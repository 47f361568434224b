/** Longest that a message waits for others that come again with it, in milliseconds. */
const gathering = 50

interface Suspect {
  readonly deliveries: number
  readonly go: () => void
}

/**
 * Lets messages that nobody died of run together, and each that somebody may have died of alone: those that were
 * delivered least often first, so that no killer keeps what came after it from being done. Those that were delivered
 * equally often come in a random order: of a fixed one the same would die with a killer each time.
 */
export class Isolation {
  #together = 0
  #alone = false
  readonly #suspects: Suspect[] = []
  #others: (() => void)[] = []

  /** Runs work beside others, when nothing runs or waits to run alone. */
  async together<T>(work: () => Promise<T>): Promise<T> {
    if (this.#alone || this.#suspects.length > 0)
      await new Promise<void>((resolve) => this.#others.push(resolve))
    else this.#together++
    try {
      return await work()
    } finally {
      this.#together--
      this.#next()
    }
  }

  /** Runs work, of what was delivered this often, while nothing else runs. */
  async alone<T>(deliveries: number, work: () => Promise<T>): Promise<T> {
    await new Promise((resolve) => setTimeout(resolve, gathering * Math.random()))
    await new Promise<void>((go) => {
      this.#suspects.push({ deliveries, go })
      this.#next()
    })
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

  #next(): void {
    if (this.#alone || this.#together > 0) return
    const fewest = Math.min(...this.#suspects.map(({ deliveries }) => deliveries))
    const next = this.#suspects.findIndex(({ deliveries }) => deliveries === fewest)
    if (next < 0) return
    this.#alone = true
    for (const { go } of this.#suspects.splice(next, 1)) go()
  }
}
