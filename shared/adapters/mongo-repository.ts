import { setTimeout as sleep } from 'node:timers/promises'
import type { Collection, Filter } from 'mongodb'
import type { Aggregate as Linked } from '../enrolment/links.ts'
import type { Links } from '../enrolment/register.ts'
import { type CollectedTombstones, clockTolerance } from '../enrolment/tombstones.ts'
import type { Aggregate, Change, Decide, Entity } from '../resource/aggregate.ts'
import type { Claim, Insertion, Page, PageQuery, Repository, Tombstones } from '../resource/ports.ts'
import { MongoClaims } from './mongo-claims.ts'
import type { MongoDatabase } from './mongo-client.ts'
import {
  aggregateOf,
  collectionOf,
  entityOf,
  linksOf,
  type MongoMapping,
  newDocument,
  type StoredDocument,
  storedId,
  updateOf,
} from './mongo-documents.ts'
import { contended, contentionPatience, Turns } from './turns.ts'

/** Most members that a lookup gives for one id: over any limit, and still a bound. */
const mostMembers = 1000

/** Longest pause before a change is tried again after another process was faster, in milliseconds. */
const longestPause = 50

/** What readers do not need, and what may be long. */
const asEntity = { links: 0, outbox: 0 } as const

/** What a decision answers, and what it wants written. */
interface Decided<R> {
  readonly result: R
  readonly update?: Record<string, Record<string, unknown>>
}

/**
 * A side's aggregates in MongoDB: one document each, registers and outbox in it, each mutation one compare-and-set on
 * its `revision`. A standalone server is enough: there are no transactions.
 */
export class MongoRepository<F extends object> implements Repository<F>, Tombstones {
  readonly #database: MongoDatabase
  readonly #mapping: MongoMapping<F>
  readonly #claims: MongoClaims
  readonly #turns = new Turns()

  constructor(database: MongoDatabase, mapping: MongoMapping<F>) {
    this.#database = database
    this.#mapping = mapping
    this.#claims = new MongoClaims(database, mapping.collection)
  }

  async get(id: string): Promise<Entity<F> | undefined> {
    const document = await this.#find(id, asEntity)
    return document && entityOf(this.#mapping, document)
  }

  async links(id: string): Promise<Links | undefined> {
    const document = await this.#find(id, { live: 1, links: 1 })
    return document && linksOf(document)
  }

  async list({ limit, sort, descending, filter, after }: PageQuery): Promise<Page<F>> {
    if (sort !== 'created_at') known(sort, this.#mapping.sorts)
    for (const field of Object.keys(filter)) known(field, this.#mapping.filters)
    const live = { live: true, ...filter }
    const direction = descending ? -1 : 1
    const found = await this.#documents((documents) =>
      documents
        .find(after ? { $or: beyond(live, sort, descending, after) } : live, { projection: asEntity })
        .sort({ [sort]: direction, _id: direction })
        .limit(limit + 1)
        .toArray(),
    )
    const items = found.slice(0, limit).map((document) => entityOf(this.#mapping, document))
    return { items, more: found.length > limit }
  }

  async membersOf(otherIds: readonly string[]): Promise<ReadonlyMap<string, readonly Entity<F>[]>> {
    const members = new Map<string, Entity<F>[]>(otherIds.map((id) => [id, []]))
    if (members.size === 0) return members
    const found = await this.#documents((documents) =>
      documents
        .find({ [this.#mapping.members]: { $in: [...members.keys()] } }, { projection: asEntity })
        .sort({ _id: 1 })
        .limit(members.size * mostMembers)
        .toArray(),
    )
    for (const document of found) {
      const entity = entityOf(this.#mapping, document)
      for (const id of entity.members) members.get(id)?.push(entity)
    }
    return members
  }

  async insert(change: Change<F> & { readonly next: Aggregate<F> }, claim?: Claim): Promise<Insertion> {
    const document = newDocument(this.#mapping, change)
    if (claim) return this.#claims.insert(document, claim)
    await this.#documents((documents) => documents.insertOne(document))
    return { created: true }
  }

  async change<R>(id: string, decide: Decide<F, R>): Promise<R> {
    return this.#compareAndSet(id, (current, revision) => {
      const { result, change } = decide(current)
      if (!change) return { result }
      if (!current) throw new Error('a change of what is not there')
      return { result, update: updateOf(this.#mapping, current, revision, change) }
    })
  }

  async withTombstones(before: number, limit: number): Promise<readonly string[]> {
    const found = await this.#documents((documents) =>
      documents
        .find({
          live: true,
          ended_ts: { $lt: before * 1000 },
          $or: [
            { outbox_at: { $exists: false } },
            { outbox_at: { $gte: new Date(before + clockTolerance) } },
          ],
        })
        .project<Pick<StoredDocument, '_id'>>({ _id: 1 })
        .sort({ ended_ts: 1 })
        .limit(limit)
        .toArray(),
    )
    return found.map(({ _id }) => _id.toHexString())
  }

  async collect(id: string, decide: (current: Linked) => CollectedTombstones): Promise<number> {
    return this.#compareAndSet(id, (current, revision) => {
      const collected = current && decide(current)
      if (!collected || collected.dropped.length === 0) return { result: 0 }
      return { result: collected.dropped.length, update: collectionOf(revision, collected) }
    })
  }

  async ping(): Promise<void> {
    await this.#database.run((db) => db.command({ ping: 1 }))
  }

  /** Writes what is decided about a document as it is, alone with it; where others were faster it is decided again. */
  #compareAndSet<R>(
    id: string,
    decide: (current: Aggregate<F> | undefined, revision: number) => Decided<R>,
  ): Promise<R> {
    return this.#turns.take(id, async () => {
      const until = performance.now() + contentionPatience
      for (let tries = 1; ; tries++) {
        const document = await this.#find(id, { outbox: 0 })
        const { result, update } = document
          ? decide(aggregateOf(this.#mapping, document), document.revision)
          : decide(undefined, 0)
        if (!document || !update) return result
        const { _id, revision } = document
        const { matchedCount } = await this.#documents((documents) =>
          documents.updateOne({ _id, revision }, update),
        )
        if (matchedCount === 1) return result
        if (performance.now() > until) throw contended(`other processes were faster ${tries} times`)
        await sleep(Math.random() * Math.min(2 ** tries, longestPause))
      }
    })
  }

  /** A tombstone is not found; its `live` must be in the projection. */
  async #find(id: string, projection: Readonly<Record<string, 0 | 1>>): Promise<StoredDocument | undefined> {
    const _id = storedId(id)
    if (!_id) return undefined
    const document = await this.#documents((documents) => documents.findOne({ _id }, { projection }))
    return document?.live ? document : undefined
  }

  #documents<T>(work: (documents: Collection<StoredDocument>) => Promise<T>): Promise<T> {
    return this.#database.run((db) => work(db.collection<StoredDocument>(this.#mapping.collection)))
  }
}

/**
 * What comes after (value, id) in the order of a page. Each branch is a range of the index that the page is sorted by,
 * so that MongoDB merges the two and reads no more than the page, however many have the same value.
 */
function beyond(
  live: Filter<StoredDocument>,
  sort: string,
  descending: boolean,
  { value, id }: NonNullable<PageQuery['after']>,
): Filter<StoredDocument>[] {
  const at = sort === 'created_at' ? new Date(value) : String(value)
  const further = descending ? '$lt' : '$gt'
  const rest = { $and: [live, { [sort]: { [further]: at } }] }
  const _id = storedId(id)
  return _id ? [rest, { $and: [live, { [sort]: at, _id: { [further]: _id } }] }] : [rest]
}

function known(field: string, fields: readonly string[]): void {
  if (!fields.includes(field)) throw new Error(`pages know no ${field}`)
}
