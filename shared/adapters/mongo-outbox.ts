import { type AnyBulkWriteOperation, type Collection, ObjectId } from 'mongodb'
import { tombstoneAge } from '../enrolment/tombstones.ts'
import type { OutboxEntry } from '../resource/aggregate.ts'
import type { Outbox, Swept } from '../resource/ports.ts'
import { claimAge, claimCollection, type StoredClaim } from './mongo-claims.ts'
import type { MongoDatabase } from './mongo-client.ts'
import { type StoredDocument, storedId, unleased } from './mongo-documents.ts'

/** How long a sweeper has a document's outbox for itself, in milliseconds: longer than telling takes. */
const leaseTime = 10_000

/** What lies further in the future, in milliseconds, was written by a clock that is wrong: it does not count. */
const skew = 60_000

/**
 * How many documents are leased or let go at once, for others need a connection meanwhile; and how many updates are sent
 * in one call, which must be done within its patience (mongo-standin never answers one of a hundred).
 */
const together = { documents: 5, updates: 10 }

/** Lost in a crash, it is only told again: no need to wait for the journal. */
const forgettable = { writeConcern: { w: 1 } } as const

interface Due {
  readonly subject: ObjectId
  readonly id: string
  readonly entry: OutboxEntry
  readonly at: number
}

type Found = Pick<StoredDocument, '_id' | 'outbox_lease' | 'outbox_at'>

type Update = AnyBulkWriteOperation<StoredDocument>

/** The outboxes in the documents of a collection, written by `MongoRepository` with the mutations. */
export class MongoOutbox implements Outbox {
  readonly #database: MongoDatabase
  readonly #collection: string

  constructor(database: MongoDatabase, collection: string) {
    this.#database = database
    this.#collection = collection
  }

  async settled(entries: readonly OutboxEntry[]): Promise<void> {
    const bySubject = Map.groupBy(entries, ({ subject }) => subject)
    await this.#write(
      [...bySubject].flatMap(([subject, told]) => {
        const _id = storedId(subject)
        return _id
          ? removal(
              _id,
              told.map(({ id }) => id),
            )
          : []
      }),
    )
  }

  async sweep(
    age: number,
    limit: number,
    relay: (entry: OutboxEntry) => Promise<void>,
    after?: string,
  ): Promise<Swept> {
    const now = Date.now()
    const isDue = (at: number): boolean => at < now - age || at > now + skew
    const found = await this.#due(now, age, limit, after)
    const held = await this.#lease(now, found)
    const due = held
      .flatMap(({ _id, outbox }) =>
        Object.entries(outbox).map(
          ([id, { entry, at }]): Due => ({ subject: _id, id, entry: JSON.parse(entry), at: at.getTime() }),
        ),
      )
      .filter(({ at }) => isDue(at))
      .sort((a, b) => a.at - b.at)
    const told = new Set<string>()
    for (const some of chunks(due, limit)) {
      const results = await Promise.allSettled(some.map(({ entry }) => relay(entry)))
      for (const [i, { id }] of some.entries()) if (results[i]?.status === 'fulfilled') told.add(id)
    }
    for (const some of chunks(held, together.documents)) {
      await Promise.all(some.map((document) => this.#letGo(document, told)))
    }
    const last = found.length === limit ? found.at(-1) : undefined
    return {
      settled: told.size,
      oldest: Math.max(0, ...due.map(({ at }) => now - at)),
      ...(last && { next: `${last.outbox_at?.getTime()} ${last._id.toHexString()}` }),
    }
  }

  async purge(): Promise<void> {
    const before = (age: number): Date => new Date(Date.now() - age)
    await this.#documents((documents) =>
      // One that still has something to tell stays until it is told.
      documents.deleteMany({ live: false, deleted_at: { $lt: before(tombstoneAge) }, outbox: {} }),
    )
    await this.#database.run((db) =>
      db.collection<StoredClaim>(claimCollection).deleteMany({ at: { $lt: before(claimAge) } }),
    )
  }

  /** Documents whose outboxes may have something due and that no other sweeper has. */
  async #due(now: number, age: number, limit: number, after: string | undefined): Promise<readonly Found[]> {
    const wrong = { $gt: new Date(now + skew) }
    const [at, id] = after?.split(' ') ?? []
    const last = new Date(Number(at))
    const behind =
      id === undefined
        ? []
        : [{ $or: [{ outbox_at: { $gt: last } }, { outbox_at: last, _id: { $gt: new ObjectId(id) } }] }]
    return this.#documents((documents) =>
      documents
        .find({
          $and: [
            { $or: [{ outbox_at: { $lt: new Date(now - age) } }, { outbox_at: wrong }] },
            { $or: [{ outbox_lease: { $lte: new Date(now) } }, { outbox_lease: wrong }] },
            ...behind,
          ],
        })
        .project<Found>({ outbox_lease: 1, outbox_at: 1 })
        .sort({ outbox_at: 1, _id: 1 })
        .limit(limit)
        .toArray(),
    )
  }

  async #lease(now: number, found: readonly Found[]): Promise<readonly StoredDocument[]> {
    const lease = { $set: { outbox_lease: new Date(now + leaseTime) } }
    const held: (StoredDocument | null)[] = []
    for (const some of chunks(found, together.documents)) {
      const taken = some.map(({ _id, outbox_lease }) =>
        this.#documents((documents) =>
          // The document as it is under the lease: what another had told before is not in it any more.
          documents.findOneAndUpdate({ _id, outbox_lease }, lease, { returnDocument: 'after' }),
        ),
      )
      held.push(...(await Promise.all(taken)))
    }
    return held.filter((document) => document !== null)
  }

  /** Removes what was told from a document that was held, and the lease. */
  async #letGo(document: StoredDocument, told: ReadonlySet<string>): Promise<void> {
    const { _id, revision, outbox, outbox_lease } = document
    if (Object.keys(outbox).every((id) => told.has(id))) {
      const empty = { $set: { outbox: {}, outbox_lease: unleased }, $unset: { outbox_at: '' as const } }
      const { matchedCount } = await this.#documents((documents) =>
        documents.updateOne({ _id, revision, outbox_lease }, empty, forgettable),
      )
      if (matchedCount === 1) return
    }
    await this.#write(afterwards(document, told))
  }

  async #write(updates: Update[]): Promise<void> {
    for (const some of chunks(updates, together.updates)) {
      await this.#documents((documents) => documents.bulkWrite(some, { ordered: true, ...forgettable }))
    }
  }

  #documents<T>(work: (documents: Collection<StoredDocument>) => Promise<T>): Promise<T> {
    return this.#database.run((db) => work(db.collection<StoredDocument>(this.#collection)))
  }
}

/** Removes entries, and what leads sweepers to the document when none is left. */
function removal(_id: ObjectId, ids: readonly string[]): Update[] {
  return [
    update({ _id }, { $unset: Object.fromEntries(ids.map((id) => [`outbox.${id}`, ''])) }),
    update({ _id, outbox: {} }, { $unset: { outbox_at: '' } }),
  ]
}

/** The same, where a mutation came in between or something is left: says how old that is. */
function afterwards(document: StoredDocument, told: ReadonlySet<string>): Update[] {
  const { _id, revision, outbox, outbox_at, outbox_lease } = document
  const entries = Object.entries(outbox)
  const rest = entries.filter(([id]) => !told.has(id)).map(([, { at }]) => at.getTime())
  const oldest = Math.min(...rest)
  return [
    ...(rest.length < entries.length
      ? removal(
          _id,
          entries.flatMap(([id]) => (told.has(id) ? [id] : [])),
        )
      : []),
    // Not when a mutation came in between, which may have brought an older one: then the next sweep does it.
    ...(outbox_at && rest.length > 0 && outbox_at.getTime() !== oldest
      ? [update({ _id, revision, outbox_at }, { $set: { outbox_at: new Date(oldest) } })]
      : []),
    update({ _id, outbox_lease }, { $set: { outbox_lease: unleased } }),
  ]
}

function update(filter: Record<string, unknown>, change: Record<string, Record<string, unknown>>): Update {
  return { updateOne: { filter, update: change } }
}

function* chunks<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size)
}
