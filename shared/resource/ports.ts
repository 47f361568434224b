import type { Aggregate as Linked } from '../enrolment/links.ts'
import type { Links } from '../enrolment/register.ts'
import type { CollectedTombstones } from '../enrolment/tombstones.ts'
import type { Aggregate, Change, Decide, Entity, OutboxEntry } from './aggregate.ts'

export interface PageQuery {
  /** Most entities to return. */
  readonly limit: number
  /** A text field, or `created_at`; the id is always the last key. */
  readonly sort: string
  readonly descending: boolean
  /** Exact values by field, all of which must match. */
  readonly filter: Readonly<Record<string, string>>
  /** Where the page before ended: the sort field's value (of `created_at`: milliseconds) and the id. */
  readonly after?: { readonly value: string | number; readonly id: string }
}

export interface Page<F> {
  readonly items: readonly Entity<F>[]
  readonly more: boolean
}

/** A creation's claim on an Idempotency-Key. */
export interface Claim {
  /** Hash of consumer, method, route and key. */
  readonly key: string
  /** Hash of the payload. */
  readonly payload: string
  /** The answer to keep and replay. */
  readonly answer: string
}

/** `created`, or the answer of the earlier creation under the same claim. */
export type Insertion = { readonly created: true } | { readonly created: false; readonly answer: string }

/**
 * Where one side's aggregates live. Every method rejects with the failure `unavailable` when the database cannot
 * be reached, two seconds after it was asked at the latest (`change` may ask it again): an error is never "not found".
 */
export interface Repository<F> {
  get(id: string): Promise<Entity<F> | undefined>
  /** The registers of one aggregate. */
  links(id: string): Promise<Links | undefined>
  list(query: PageQuery): Promise<Page<F>>
  /** Those whose present register names the other side's id, in the order of their ids, for each id asked for. */
  membersOf(otherIds: readonly string[]): Promise<ReadonlyMap<string, readonly Entity<F>[]>>
  /**
   * Writes a new aggregate with its outbox entry and claim.
   * @throws Failure `conflict` for a unique name that is taken or a claim that is being made, `invalid` for a claim made
   * with another payload.
   */
  insert(change: Change<F> & { readonly next: Aggregate<F> }, claim?: Claim): Promise<Insertion>
  /** Applies a decision to one aggregate, alone with it; on a conflict the decision is asked again. */
  change<R>(id: string, decide: Decide<F, R>): Promise<R>
  /** Rejects when the database cannot serve. */
  ping(): Promise<void>
}

/**
 * What a side's aggregates remember of links that are not present any more, for the sweeper to forget in its time. Every
 * method rejects as those of `Repository` do.
 */
export interface Tombstones {
  /**
   * Ids, at most `limit`, of the aggregates with the oldest registers that are not present and older than `before`
   * (milliseconds since 1970). It costs nothing to speak of when there are none.
   *
   * An aggregate is left out while an outbox entry of it is not settled that was written before that time, too, give or
   * take `clockTolerance`: its register may be what that has to tell. The answer stands until `collect`, for what is
   * written meanwhile tells of registers that are made now.
   */
  withTombstones(before: number, limit: number): Promise<readonly string[]>
  /**
   * Drops registers of one aggregate and raises its floor as decided, in one atomic unit and alone with it, like a
   * change; returns how many went. Nothing moves that readers see: no version, no time, no list. So nothing is told either,
   * and every cached answer and ETag stays as good as it was. Without an aggregate, or with nothing to drop, nothing is written.
   */
  collect(id: string, decide: (current: Linked) => CollectedTombstones): Promise<number>
}

/** The outbox of one side's database. */
export interface Outbox {
  /** Notes that everything an entry tells has been told. */
  settled(entries: readonly OutboxEntry[]): Promise<void>
  /**
   * Hands entries older than `age` (ms) that are not settled to `relay`, each to one caller at a time, and settles those
   * that it resolves for: of the oldest behind `after`, `limit` entries or aggregates. Whoever goes on at `next` passes
   * by those that cannot be told for now.
   */
  sweep(
    age: number,
    limit: number,
    relay: (entry: OutboxEntry) => Promise<void>,
    after?: string,
  ): Promise<Swept>
  /** Drops settled entries, claims and tombstones that are past their time. */
  purge(): Promise<void>
}

export interface Swept {
  readonly settled: number
  /** The age of the oldest that was found, in milliseconds. */
  readonly oldest: number
  /** Where to go on, while there may be more. */
  readonly next?: string
}

/** The members that the other side has for an id, asked of the service that owns them. */
export interface Lookup<M> {
  /** @throws Failure `deadline_exceeded` when it does not answer in time. */
  membersOf(id: string, context: { readonly traceparent: string }): Promise<Looked<M>>
}

export interface Looked<M> {
  readonly members: readonly M[]
  /** What the other side's cache did. */
  readonly cacheStatus?: string
}
