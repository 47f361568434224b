import type { Aggregate } from './links.ts'
import type { Links, Register } from './register.ts'

/** How long a removed or rejected link is kept: 30 days, in milliseconds. */
export const tombstoneAge = 30 * 24 * 60 * 60 * 1000

/**
 * How far apart two clocks may be, in milliseconds, that wrote a register and the outbox entry that tells of it: what is
 * written this much later than a register has nothing to do with it.
 */
export const clockTolerance = 24 * 60 * 60 * 1000

export interface CollectedTombstones {
  /** The registers that stay. */
  readonly links: Links
  /** The floor afterwards, in microseconds: never lower than before. Store it in one unit with the drop, or before it. */
  readonly floor: number
  /** The other ends' ids whose registers go. Empty: nothing to store. */
  readonly dropped: readonly string[]
}

/**
 * Forgets the links that have not been present for long (those rejected too). The floor rises to the highest `ts`
 * forgotten, so that an old message about them still finds itself out of date instead of starting anew. It counts for
 * every missing link of the aggregate: an add that was under way for longer than `olderThan` is answered as stale.
 *
 * @param input.now milliseconds since 1970
 * @param input.olderThan age in milliseconds; far above clock skew and how long a message can be under way
 */
export function collectTombstones(
  input: Aggregate & { readonly now: number; readonly olderThan: number },
): CollectedTombstones {
  const before = (input.now - input.olderThan) * 1000
  const links = new Map<string, Register>()
  const dropped: string[] = []
  let { floor } = input
  for (const [id, register] of input.links) {
    if (register.present || register.ts >= before) {
      links.set(id, register)
    } else {
      floor = Math.max(floor, register.ts)
      dropped.push(id)
    }
  }
  return { links, floor, dropped }
}
