import { ObjectId } from 'mongodb'
import { presentIds } from '../enrolment/links.ts'
import type { Links, Register } from '../enrolment/register.ts'
import type { CollectedTombstones } from '../enrolment/tombstones.ts'
import type { Aggregate, Change, Entity, OutboxEntry } from '../resource/aggregate.ts'

/** How one kind of aggregate lies in its collection. Its ids are ObjectIds in lower-case hexadecimal digits. */
export interface MongoMapping<F> {
  readonly collection: string
  /** The document's list of the other side's ids, which its index for `membersOf` is made of. */
  readonly members: string
  /** The fields as they lie at the document's top level. */
  readonly write: (fields: F) => Readonly<Record<string, unknown>>
  readonly read: (document: Readonly<Record<string, unknown>>) => F
  /** Fields that a page may be sorted by, `created_at` aside, each with an index. */
  readonly sorts: readonly string[]
  /** Fields that a page may be filtered by, each with an index. */
  readonly filters: readonly string[]
}

/**
 * One aggregate with all that belongs to it: a single document, so that one compare-and-set is atomic on any server.
 * Beside what is declared here it has the mapping's fields and its list of members.
 */
export interface StoredDocument extends Record<string, unknown> {
  /** An ObjectId rather than its digits: half the size in each index, the same order, and what other tools expect. */
  readonly _id: ObjectId
  /** First in the indexes of the pages: tombstones neither show in them nor slow them. */
  readonly live: boolean
  readonly links: Readonly<Record<string, Register>>
  /**
   * No register that is not present has a lower `ts`: where a collection of them looks. Absent when all are present, and
   * in a document that has not changed since before there was this field, whose tombstones then stay until it does.
   */
  readonly ended_ts?: number
  readonly floor: number
  readonly version: number
  /** Moves with every mutation, `version` only with what readers see: it is what compare-and-set compares. */
  readonly revision: number
  readonly created_at: Date
  readonly updated_at: Date
  /**
   * By entry id, and not an array: an entry is removed by its name, in one update that needs no compare-and-set, on
   * every server (mongo-standin's `$pull` takes no condition).
   */
  readonly outbox: Readonly<Record<string, StoredEntry>>
  /** No entry is older: where a sweep looks. Absent exactly when the outbox is empty. */
  readonly outbox_at?: Date
  /** Until when a sweeper has the outbox for itself. */
  readonly outbox_lease: Date
  /** Only a tombstone has it. */
  readonly deleted_at?: Date
}

export interface StoredEntry {
  /** The `OutboxEntry` as JSON. */
  readonly entry: string
  readonly at: Date
}

/** The lease of an outbox that nobody sweeps. */
export const unleased = new Date(0)

/** The stored id, or nothing for what no document can have as its id. */
export function storedId(id: string): ObjectId | undefined {
  return /^[\da-f]{24}$/.test(id) ? ObjectId.createFromHexString(id) : undefined
}

/** A new document, its outbox entry in it. */
export function newDocument<F>(
  mapping: MongoMapping<F>,
  { next, entry }: Change<F> & { readonly next: Aggregate<F> },
): StoredDocument {
  const at = new Date()
  return {
    _id: ObjectId.createFromHexString(next.id),
    live: true,
    ...mapping.write(next.fields),
    [mapping.members]: presentIds(next.links),
    links: Object.fromEntries(next.links),
    ...ended(next.links).set,
    floor: next.floor,
    version: next.version,
    revision: 1,
    created_at: new Date(next.createdAt),
    updated_at: new Date(next.updatedAt),
    outbox: { [entry.id]: storedEntry(entry, at) },
    outbox_at: at,
    outbox_lease: unleased,
  }
}

/** What makes of a document of this revision what the change wants it to be. */
export function updateOf<F>(
  mapping: MongoMapping<F>,
  current: Aggregate<F>,
  revision: number,
  { next, changed, entry }: Change<F>,
): Record<string, Record<string, unknown>> {
  const at = new Date()
  const told = { revision: revision + 1, [`outbox.${entry.id}`]: storedEntry(entry, at) }
  if (!next) {
    const gone = [
      ...Object.keys(mapping.write(current.fields)),
      ...'ended_ts floor version created_at updated_at'.split(' '),
    ]
    return {
      $set: { ...told, live: false, [mapping.members]: [], links: {}, deleted_at: at },
      $unset: Object.fromEntries(gone.map((field) => [field, ''])),
      $min: { outbox_at: at },
    }
  }
  const { set, unset } = ended(next.links)
  return {
    $set: {
      ...told,
      // A link message leaves the fields as they are: they need not travel again.
      ...(next.fields === current.fields ? {} : mapping.write(next.fields)),
      [mapping.members]: presentIds(next.links),
      ...Object.fromEntries([...changed].map(([id, register]) => [`links.${id}`, register])),
      ...set,
      floor: next.floor,
      version: next.version,
      updated_at: new Date(next.updatedAt),
    },
    ...(unset ? { $unset: unset } : {}),
    $min: { outbox_at: at },
  }
}

/** What drops the collected registers from a document of this revision: nothing else of it moves. */
export function collectionOf(
  revision: number,
  { links, floor, dropped }: CollectedTombstones,
): Record<string, Record<string, unknown>> {
  const { set, unset } = ended(links)
  return {
    $set: { revision: revision + 1, floor, ...set },
    $unset: { ...Object.fromEntries(dropped.map((id) => [`links.${id}`, ''])), ...unset },
  }
}

/** What `ended_ts` is to be beside these registers. */
function ended(links: Links): {
  readonly set?: { readonly ended_ts: number }
  readonly unset?: { readonly ended_ts: '' }
} {
  let lowest = Number.POSITIVE_INFINITY
  for (const { present, ts } of links.values()) if (!present) lowest = Math.min(lowest, ts)
  return Number.isFinite(lowest) ? { set: { ended_ts: lowest } } : { unset: { ended_ts: '' } }
}

function storedEntry(entry: OutboxEntry, at: Date): StoredEntry {
  return { entry: JSON.stringify(entry), at }
}

export function entityOf<F>(mapping: MongoMapping<F>, document: StoredDocument): Entity<F> {
  // Written by this file, as a list of ids.
  const members = document[mapping.members] as readonly string[]
  return { ...bare(mapping, document), members }
}

export function aggregateOf<F>(mapping: MongoMapping<F>, document: StoredDocument): Aggregate<F> {
  return { ...bare(mapping, document), links: linksOf(document), floor: document.floor }
}

export function linksOf({ links }: Pick<StoredDocument, 'links'>): Links {
  return new Map(Object.entries(links))
}

function bare<F>(mapping: MongoMapping<F>, document: StoredDocument): Omit<Entity<F>, 'members'> {
  return {
    id: document._id.toHexString(),
    fields: mapping.read(document),
    version: document.version,
    createdAt: document.created_at.getTime(),
    updatedAt: document.updated_at.getTime(),
  }
}
