import { MongoClient } from 'mongodb'
import type postgres from 'postgres'

/** A copy of one side's database as it was. */
export interface Backup {
  /** Puts everything back as it was, and away what came since. */
  restore(): Promise<void>
}

/** As pg_dump and pg_restore do it: every table of a schema, of one moment, in one transaction. */
export async function postgresBackup(sql: postgres.Sql, schema: string): Promise<Backup> {
  const copy = `backup_of_${schema}`
  // Those that others refer to come first.
  const tables = await sql<
    { name: string }[]
  >`select tablename as name from pg_tables where schemaname = ${schema}
    order by tablename <> 'entities', tablename`
  await sql.begin('isolation level repeatable read', async (transaction) => {
    await transaction.unsafe(`drop schema if exists ${copy} cascade; create schema ${copy}`).simple()
    for (const { name } of tables)
      await transaction.unsafe(`create table ${copy}.${name} as table ${schema}.${name}`)
  })
  return {
    restore: () =>
      sql.begin(async (transaction) => {
        const names = tables.map(({ name }) => `${schema}.${name}`)
        await transaction.unsafe(`truncate ${names.join(', ')}`)
        for (const { name } of tables)
          await transaction.unsafe(`insert into ${schema}.${name} select * from ${copy}.${name}`)
      }) as Promise<unknown> as Promise<void>,
  }
}

/** As mongodump and mongorestore do it: every document of every collection. */
export async function mongoBackup(url: string): Promise<Backup> {
  const copied = new Map<string, object[]>()
  await using client = new MongoClient(url)
  for (const { collectionName } of await client.db().collections())
    copied.set(collectionName, await client.db().collection(collectionName).find().toArray())
  return {
    async restore() {
      await using client = new MongoClient(url)
      for (const [name, documents] of copied) {
        const collection = client.db().collection(name)
        await collection.deleteMany({})
        for (const document of documents) await collection.insertOne(document)
      }
    },
  }
}
