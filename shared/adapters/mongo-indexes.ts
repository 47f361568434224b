import { type IndexDescriptionInfo, MongoServerError } from 'mongodb'
import type { Provisioner, Step } from '../provision/provisioner.ts'
import { claimCollection } from './mongo-claims.ts'
import { MongoDatabase } from './mongo-client.ts'
import type { MongoMapping } from './mongo-documents.ts'

export interface MongoIndexesOptions<F> {
  readonly url: string
  readonly mapping: Pick<MongoMapping<F>, 'collection' | 'members' | 'sorts' | 'filters'>
}

/** Longest that an index of a large collection may take to build, in milliseconds. */
const buildTime = 30 * 60 * 1000

interface Index {
  readonly collection: string
  readonly key: Readonly<Record<string, 1>>
  /** Only documents that have the field are in it. */
  readonly sparse?: boolean
}

/** The indexes of a collection of aggregates and of the claims: a page costs the same however many there are. */
export class MongoIndexes<F> implements Provisioner {
  readonly #options: MongoIndexesOptions<F>

  constructor(options: MongoIndexesOptions<F>) {
    this.#options = options
  }

  /** Indexes that nobody here asked for are somebody else's: they stay. */
  async plan(): Promise<readonly Step[]> {
    const wanted = indexesOf(this.#options.mapping)
    const there = new Map<string, readonly IndexDescriptionInfo[]>()
    await this.#connected(async (database) => {
      for (const collection of new Set(wanted.map((index) => index.collection))) {
        there.set(collection, await existing(database, collection))
      }
    })
    return wanted.flatMap((index) => {
      const indexes = there.get(index.collection) ?? []
      if (indexes.some(({ key }) => sameKey(key, index.key))) return []
      const name = nameOf(index)
      const other = indexes.some((one) => one.name === name)
      const title = `collection ${index.collection}: ${other ? 'replace' : 'create'} index ${name}`
      return [{ title, ...(other ? { destructive: true } : {}), apply: () => this.#apply(index, other) }]
    })
  }

  async #apply({ collection, key, sparse }: Index, replace: boolean): Promise<void> {
    await this.#connected((database) =>
      database.run(async (db) => {
        const name = nameOf({ collection, key })
        if (replace) await db.collection(collection).dropIndex(name)
        await db.collection(collection).createIndex({ ...key }, { name, ...(sparse ? { sparse } : {}) })
      }),
    )
  }

  async #connected<T>(work: (database: MongoDatabase) => Promise<T>): Promise<T> {
    await using database = new MongoDatabase({ url: this.#options.url, max: 1, patience: buildTime })
    return await work(database)
  }
}

function indexesOf<F>({ collection, members, sorts, filters }: MongoIndexesOptions<F>['mapping']): Index[] {
  const page = (...fields: readonly string[]): Index => ({
    collection,
    key: Object.fromEntries(['live', ...fields, '_id'].map((field) => [field, 1])),
  })
  return [
    page('created_at'),
    ...sorts.map((field) => page(field)),
    ...filters.map((field) => page(field, 'created_at')),
    { collection, key: { [members]: 1, _id: 1 } },
    { collection, key: { outbox_at: 1 }, sparse: true },
    { collection, key: { deleted_at: 1 }, sparse: true },
    { collection, key: { ended_ts: 1 }, sparse: true },
    { collection: claimCollection, key: { at: 1 } },
  ]
}

/** As the driver would name it. */
function nameOf({ key }: Index): string {
  return Object.entries(key).flat().join('_')
}

/** Key and order; not `sparse`, which mongo-standin accepts and then keeps to itself. */
function sameKey(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  return JSON.stringify(Object.entries(a)) === JSON.stringify(Object.entries(b))
}

async function existing(
  database: MongoDatabase,
  collection: string,
): Promise<readonly IndexDescriptionInfo[]> {
  try {
    return await database.run((db) => db.collection(collection).listIndexes().toArray())
  } catch (error) {
    const namespaceNotFound = error instanceof MongoServerError && error.code === 26
    if (namespaceNotFound) return []
    throw error
  }
}
