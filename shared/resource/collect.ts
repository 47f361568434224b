import { collectTombstones, tombstoneAge } from '../enrolment/tombstones.ts'
import type { Tombstones } from './ports.ts'

/** Most aggregates that one run takes, one after another: a backlog is worked off over the runs that follow. */
const batch = 500

/**
 * Forgets the links that have not been present for thirty days (`tombstoneAge`); returns how many. What comes about them
 * later is answered with the floor, as stale.
 *
 * Rejected links are among them. `/enrolments` shows a rejection and its reason for those thirty days and then no more:
 * the one answer that a collection changes. It comes from the registers, is never cached and has no ETag, so nothing is
 * to be invalidated; the aggregate itself looks as it did, and keeps its version.
 *
 * @param now milliseconds since 1970; the same for the search and for each decision, so that all that is found can go
 */
export async function collectOld(tombstones: Tombstones, now: number = Date.now()): Promise<number> {
  let collected = 0
  for (const id of await tombstones.withTombstones(now - tombstoneAge, batch)) {
    collected += await tombstones.collect(id, ({ links, floor }) =>
      collectTombstones({ links, floor, now, olderThan: tombstoneAge }),
    )
  }
  return collected
}
