import { MongoDatabase } from '../adapters/mongo-client.ts'
import type { MongoMapping } from '../adapters/mongo-documents.ts'
import { MongoIndexes } from '../adapters/mongo-indexes.ts'
import { MongoOutbox } from '../adapters/mongo-outbox.ts'
import { MongoRepository } from '../adapters/mongo-repository.ts'
import type { PostgresClient } from '../adapters/postgres-client.ts'
import { PostgresOutbox } from '../adapters/postgres-outbox.ts'
import { PostgresRepository } from '../adapters/postgres-repository.ts'
import type { SideStore } from './enrolment-side.ts'
import { testMongo } from './mongo.ts'
import { rawMongo } from './repository-contract/mongo-subject.ts'

/** A store whose entries that are not told yet can be counted. */
export interface CountedStore<F> extends SideStore<F> {
  unsent(): Promise<number>
  /** Of its server, where that is another one than the students'. */
  readonly url?: string
}

export function inPostgres<F extends object>(
  client: PostgresClient,
  mapping: ConstructorParameters<typeof PostgresRepository<F>>[1],
): CountedStore<F> {
  const { schema } = mapping
  return {
    repository: new PostgresRepository(client, mapping),
    outbox: new PostgresOutbox(client, schema),
    async unsent() {
      const [found] = await client.run((sql) =>
        sql.unsafe<{ count: number }[]>(`select count(*) from ${schema}.outbox where sent_at is null`),
      )
      return found?.count ?? 0
    },
  }
}

export async function inMongo<F extends object>(
  mapping: MongoMapping<F>,
  stack: AsyncDisposableStack,
): Promise<CountedStore<F>> {
  const { url } = stack.use(await testMongo())
  for (const step of await new MongoIndexes({ url, mapping }).plan()) await step.apply()
  const raw = stack.use(rawMongo(url, mapping))
  const database = stack.use(new MongoDatabase({ url }))
  return {
    url,
    repository: new MongoRepository(database, mapping),
    outbox: new MongoOutbox(database, mapping.collection),
    unsent: () => raw.documents.countDocuments({ outbox_at: { $exists: true } }),
  }
}
