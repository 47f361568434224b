import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { PostgresMigrations } from '../adapters/postgres-migrations.ts'
import { postgresUrl } from './engines.ts'

export interface TestDatabase extends AsyncDisposable {
  readonly url: string
}

/** A database of its own with the schemas of both services, dropped at the end; that fails while a connection is left. */
export async function testDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await admin((sql) => sql.unsafe(`create database ${name}`))
  const url = new URL(postgresUrl())
  url.pathname = name
  for (const schema of ['students', 'courses']) {
    const folder = new URL(`../../functions/${schema}/migrations/`, import.meta.url)
    for (const step of await new PostgresMigrations({ url: url.href, schema, folder }).plan())
      await step.apply()
  }
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      await admin((sql) => sql.unsafe(`drop database ${name}`))
    },
  }
}

async function admin(work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(postgresUrl(), { max: 1, onnotice: () => {} })
  try {
    await work(sql)
  } finally {
    await sql.end()
  }
}
