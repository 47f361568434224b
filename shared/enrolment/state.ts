import { inOrder } from './links.ts'
import type { Links, Reason } from './register.ts'

/** One line of `/{id}/enrolments`; `since` is RFC 3339 in UTC, with milliseconds. */
export type EnrolmentState =
  | { readonly id: string; readonly state: 'pending' | 'confirmed'; readonly since: string }
  | { readonly id: string; readonly state: 'rejected'; readonly reason: Reason; readonly since: string }

/**
 * How far the two sides agree about each link, oldest first (`ts`, then id). Rejected links come from the own register
 * and need no other side; links removed on purpose are not listed.
 *
 * @param otherSidePresentIds the other ends that have this aggregate as present, from the lookup. Only an answer counts:
 *   an unreachable lookup is an error, not an empty set.
 */
export function enrolmentStates(links: Links, otherSidePresentIds: ReadonlySet<string>): EnrolmentState[] {
  return inOrder(links).flatMap(([id, { present, reason, ts }]): EnrolmentState[] => {
    const since = new Date(ts / 1000).toISOString()
    if (present) return [{ id, state: otherSidePresentIds.has(id) ? 'confirmed' : 'pending', since }]
    return reason === undefined ? [] : [{ id, state: 'rejected', reason, since }]
  })
}
