import type { Delivery } from './inbox.ts'

/** Longest that a message is given back for at its second delivery, in milliseconds; four times as long at its fourth. */
const firstPause = 250
const longestPause = 16_000
/** Remembered of what was given back: what other workers got is never heard of again. */
const mostRemembered = 10_000

export type Verdict =
  /** Nobody is known to have died of it. */
  | 'innocent'
  /** It goes back, for so many milliseconds. */
  | { readonly pause: number }
  /** It is handled while nothing else is. */
  | 'alone'

/**
 * Tells what to do with a message that comes again. It may be what killed the worker that had it, and its next death
 * counts as a delivery for all that this worker holds: harmless ones that are held together with it again and again would
 * follow it to the dead letters. So at every second delivery it is given back for a random time: those that died together
 * come apart, and the server does not count a death for what no worker holds. At the others it is tried, alone.
 */
export class Suspicion {
  readonly #givenBack = new Set<number>()

  of({ sequence, deliveries }: Pick<Delivery, 'sequence' | 'deliveries'>): Verdict {
    if (this.#givenBack.delete(sequence) || deliveries === 1) return 'innocent'
    if (deliveries % 2 === 1) return 'alone'
    const most = Math.min(firstPause * 2 ** (deliveries - 2), longestPause)
    return { pause: Math.ceil(most * Math.random()) }
  }

  /** This worker gave it back of its own will: that it comes again says nothing. */
  acquit({ sequence }: Pick<Delivery, 'sequence'>): void {
    if (this.#givenBack.size >= mostRemembered) this.#givenBack.clear()
    this.#givenBack.add(sequence)
  }
}
