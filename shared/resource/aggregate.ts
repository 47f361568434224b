import type { LinkMessage } from '../enrolment/messages.ts'
import type { Links } from '../enrolment/register.ts'

/** What is stored of a student or a course, as its readers see it. */
export interface Entity<F> {
  readonly id: string
  readonly fields: F
  /** Ids of the other side, in the order in which they were linked. */
  readonly members: readonly string[]
  /** Moves by one whenever anything above changes. */
  readonly version: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** The same, as its writers see it: with a register for every link that ever was (see shared/enrolment). */
export interface Aggregate<F> extends Omit<Entity<F>, 'members'> {
  readonly links: Links
  readonly floor: number
}

/** What is to be told to others after a commit, kept in the same atomic unit as what it tells of. */
export interface OutboxEntry {
  /** UUID; the deduplication id of a mutation's message. */
  readonly id: string
  /** A mutation goes through the fan-out; a compensation straight to the other side. */
  readonly kind: 'mutation' | 'compensation'
  /** The aggregate that changed. */
  readonly subject: string
  readonly links: readonly LinkMessage[]
  /** Cache namespaces that the change made stale. */
  readonly stale: readonly string[]
  readonly traceparent: string
}

/** What a decision about an aggregate wants written, as one atomic unit. */
export interface Change<F> {
  /** The new state; `undefined` deletes it and leaves a tombstone. */
  readonly next: Aggregate<F> | undefined
  /** The registers that differ from the current ones. */
  readonly changed: Links
  readonly entry: OutboxEntry
}

export interface Decision<F, R> {
  readonly result: R
  /** Nothing is written without it. */
  readonly change?: Change<F>
  /**
   * Without a change: the cache namespaces of what the result shows. It may be of a commit that was not told yet, for its
   * writer died or gave up in between.
   */
  readonly stale?: readonly string[]
}

/** Decides, without I/O and maybe more than once, about the aggregate as it is; throws to refuse. */
export type Decide<F, R> = (current: Aggregate<F> | undefined) => Decision<F, R>
