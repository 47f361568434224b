import type { Side } from '../../enrolment/register.ts'
import type { Outbox, Repository, Tombstones } from '../../resource/ports.ts'

/** A repository with connections of its own; closing it closes them. */
export interface Store<F> extends AsyncDisposable {
  readonly repository: Repository<F> & Tombstones
  readonly outbox: Outbox
}

/** A store over a server that the test may stop. */
export interface FrailStore<F> extends Store<F> {
  pause(): void
  resume(): void
  kill(): Promise<void>
}

/** What the contract needs to know of an adapter. */
export interface Subject<F> {
  readonly side: Side
  readonly newId: () => string
  /** An id of the other side. */
  readonly newOther: () => string
  /** Fields that no other call has given, but for what is asked for. */
  readonly fields: (wanted?: Readonly<Record<string, unknown>>) => F
  /** Two text fields that pages are sorted and filtered by. */
  readonly texts: readonly [string, string]
  /** Whether all text fields together are unique. */
  readonly unique?: boolean
  /** A field that takes any JSON object. */
  readonly free?: string
  /** Another store over the same data, which nothing else uses. */
  readonly open: () => Promise<Store<F>>
  /** Lets time pass over everything that is stored, in milliseconds. */
  readonly age: (ms: number) => Promise<void>
  /** How many settled entries, claims and tombstones are kept. */
  readonly leftovers: () => Promise<number>
  readonly frail?: (() => Promise<FrailStore<F>>) | undefined
}
