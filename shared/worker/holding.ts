import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery } from './inbox.ts'
import { inProgress } from './progress.ts'

/** Half a minute after its first delivery. */
const firstHeld = 6
/** Between two tries of what is held, in milliseconds. */
const pause = 5000

/**
 * Keeps messages that cannot be done for now, once they were given back often enough: tried here again and again, they
 * use up no more of their deliveries, however long an outage lasts. What kills its worker still does.
 */
export class Holding {
  readonly #stopping: AbortSignal
  readonly #held = new Set<Promise<void>>()

  constructor(stopping: AbortSignal) {
    this.#stopping = stopping
  }

  /** Whether it is to be kept rather than given back. */
  keeps({ deliveries }: Pick<Delivery, 'deliveries'>): boolean {
    return deliveries >= firstHeld
  }

  /** Tries until it is told that no more are needed; at a stop somebody else shall have the message at once. */
  keep(delivery: Delivery, attempt: () => Promise<'settled' | 'later'>): void {
    const done = inProgress(delivery, () => this.#until(delivery, attempt))
      .catch(() => {})
      .then(() => void this.#held.delete(done))
    this.#held.add(done)
  }

  /** Resolves when nothing is held. */
  async empty(): Promise<void> {
    await Promise.all(this.#held)
  }

  async #until(delivery: Delivery, attempt: () => Promise<'settled' | 'later'>): Promise<void> {
    const signal = this.#stopping
    do {
      await sleep(pause, undefined, { signal }).catch(() => {})
      if (signal.aborted) return delivery.retry(1)
    } while ((await attempt()) === 'later')
  }
}
