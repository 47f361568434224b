import { MongoClient } from 'mongodb'
import { claimCollection, type StoredClaim } from '../../adapters/mongo-claims.ts'
import { databaseOf, MongoDatabase } from '../../adapters/mongo-client.ts'
import type { MongoMapping, StoredDocument } from '../../adapters/mongo-documents.ts'
import { MongoOutbox } from '../../adapters/mongo-outbox.ts'
import { MongoRepository } from '../../adapters/mongo-repository.ts'
import { ownMongo } from '../mongo.ts'
import { pause, resume } from '../pausing.ts'
import type { FrailStore, Store, Subject } from './subject.ts'

type Parts<F> = Pick<Subject<F>, 'open' | 'age' | 'leftovers' | 'frail'>

/** What the contract needs of a side on MongoDB: `url` is of a database of this file alone. */
export function mongoSubject<F extends object>(
  url: () => string,
  mapping: MongoMapping<F>,
  own: boolean,
): Parts<F> {
  return {
    open: async () => mongoStore(url(), mapping),
    age: (ms) => ageAll(url(), mapping, ms),
    leftovers: async () => {
      await using raw = rawMongo(url(), mapping)
      return (await raw.documents.countDocuments({ live: false })) + (await raw.claims.countDocuments({}))
    },
    frail: own ? () => frailStore(mapping) : undefined,
  }
}

export function mongoStore<F extends object>(url: string, mapping: MongoMapping<F>): Store<F> {
  const database = new MongoDatabase({ url })
  return {
    repository: new MongoRepository(database, mapping),
    outbox: new MongoOutbox(database, mapping.collection),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

/** The collections as they are, past the adapter. */
export function rawMongo(url: string, { collection }: { readonly collection: string }) {
  const client = new MongoClient(url)
  const db = client.db(databaseOf(url))
  return {
    db,
    documents: db.collection<StoredDocument>(collection),
    claims: db.collection<StoredClaim>(claimCollection),
    [Symbol.asyncDispose]: () => client.close(),
  }
}

/** Puts every time that is stored, but for those of the aggregates themselves, into the past. */
export async function ageAll(
  url: string,
  mapping: { readonly collection: string },
  ms: number,
): Promise<void> {
  await using raw = rawMongo(url, mapping)
  const earlier = (date: Date): Date => new Date(date.getTime() - ms)
  for (const { _id, outbox, outbox_at, deleted_at } of await raw.documents
    .find({ $or: [{ outbox_at: { $exists: true } }, { live: false }] })
    .toArray()) {
    const aged = Object.fromEntries(
      Object.entries(outbox).map(([id, { entry, at }]) => [id, { entry, at: earlier(at) }]),
    )
    const times = {
      ...(outbox_at ? { outbox_at: earlier(outbox_at) } : {}),
      ...(deleted_at ? { deleted_at: earlier(deleted_at) } : {}),
    }
    await raw.documents.updateOne({ _id }, { $set: { outbox: aged, ...times } })
  }
  for (const { _id, at } of await raw.claims.find({}).toArray()) {
    await raw.claims.updateOne({ _id }, { $set: { at: earlier(at) } })
  }
}

async function frailStore<F extends object>(mapping: MongoMapping<F>): Promise<FrailStore<F>> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await ownMongo('memory'))
  const store = stack.use(mongoStore(server.url, mapping))
  const all = stack.move()
  return {
    ...store,
    pause: () => pause(server.engine.pid),
    resume: () => resume(server.engine.pid),
    kill: () => server.engine.stop('SIGKILL'),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
