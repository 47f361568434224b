import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { testDatabase } from '../testing/database.ts'
import { postgresUrl } from '../testing/engines.ts'
import { Wire } from '../testing/wire.ts'
import { PostgresClient, type Sql } from './postgres-client.ts'

it('what comes while the first connection is being opened is given up together with that', async () => {
  await using wire = await Wire.to(postgresUrl())
  wire.hold()
  await using client = new PostgresClient({ url: wire.url, max: 1 })
  client.warm()
  // A process takes this long from there to its first request, on a busy machine.
  await sleep(600)
  const error: unknown = await client.run((sql) => sql`select 1`).catch((reason: unknown) => reason)
  expect(error).toMatchObject({
    code: 'unavailable',
    cause: { message: expect.stringMatching(/ [5-9]\d\d ms$/) },
  })
})

// scripts/patches: the driver as it is on npm writes to a socket that is gone, which ends the process.
it('a connection that breaks within a transaction fails it as unavailable, and the next one works', async () => {
  await using wire = await Wire.to(postgresUrl())
  await using client = new PostgresClient({ url: wire.url, max: 1 })
  const broken = client.transaction(async (sql) => {
    await sql`select 1`
    wire.cut()
    // Its socket is closed by then; the driver holds the connection for this transaction.
    for (let i = 0; i < 50; i++) await nextTurn()
    await sql`select 2`
  })
  await expect(broken).rejects.toMatchObject({ code: 'unavailable' })
  wire.release()
  expect(await client.run((sql) => sql`select 3 as answer`)).toEqual([{ answer: 3 }])
})

it('what was about to be written when a connection broke is not written to the next one', async () => {
  await using wire = await Wire.to(postgresUrl())
  await using client = new PostgresClient({ url: wire.url, max: 1 })
  for (let i = 0; i < 20; i++) {
    await client.run((sql) => sql`select 1`)
    wire.cut()
    // Queries at each distance from the end of the connection.
    const asked = Array.from({ length: 10 }, async (_, turn) => {
      for (let j = 0; j < turn; j++) await nextTurn()
      return client.run((sql) => sql`select ${turn}::int as turn`).catch((error: unknown) => error)
    })
    for (let j = 0; j < i; j++) await nextTurn()
    wire.release()
    for (const [turn, answer] of (await Promise.all(asked)).entries())
      if (answer instanceof Error) expect(answer).toMatchObject({ code: 'unavailable' })
      else expect(answer).toEqual([{ turn }])
    expect(await client.run((sql) => sql`select 3 as answer`)).toEqual([{ answer: 3 }])
  }
})

it('what is left of a transaction does not run on the connection that comes after its own', async () => {
  await using database = await testDatabase()
  await using wire = await Wire.to(database.url)
  await using client = new PostgresClient({ url: wire.url, max: 1 })
  const answers = (sql: Sql): Promise<unknown> => sql`select n from kept`
  await client.run((sql) => sql`create table kept (n int)`)
  const left = Promise.withResolvers<unknown>()
  const broken = client.transaction(async (sql) => {
    await sql`insert into kept values (1)`
    wire.cut()
    wire.release()
    await expect.poll(() => client.run(answers).catch(() => 'not yet')).toEqual([])
    left.resolve(await sql`insert into kept values (2)`.catch((error: unknown) => error))
  })
  await expect(broken).rejects.toMatchObject({ code: 'unavailable' })
  expect(await left.promise).toMatchObject({ code: 'CONNECTION_CLOSED' })
  expect(await client.run(answers)).toEqual([])
})

it('the first query waits for the connection that was opened ahead, and opens none of its own', async () => {
  await using database = await testDatabase()
  await using client = new PostgresClient({ url: database.url })
  client.warm()
  const [row] = await client.run(
    (sql) => sql`select count(*)::int from pg_stat_activity
      where datname = current_database() and application_name = 'registrar'`,
  )
  expect(row).toEqual({ count: 1 })
})

it('a query is not held up by a connection ahead that fails', async () => {
  await using client = new PostgresClient({ url: 'postgres://postgres@127.0.0.1:1/nobody' })
  client.warm()
  await expect(client.run((sql) => sql`select 1`)).rejects.toMatchObject({ code: 'unavailable' })
})

it('refuses at once what would have to wait for too many, and they are done all the same', async () => {
  await using client = new PostgresClient({ url: postgresUrl(), max: 1 })
  await client.run((sql) => sql`select 1`)
  const gate = Promise.withResolvers<void>()
  const first = client.transaction(() => gate.promise)
  let done = 0
  const others = Array.from({ length: 49 }, async (_, i) => {
    const answer = await client.run((sql) => sql`select ${i}::int as i`)
    done++
    return answer
  })
  await expect(client.run((sql) => sql`select 50`)).rejects.toMatchObject({
    code: 'unavailable',
    headers: { 'retry-after': '1' },
  })
  expect(done).toBe(0)
  gate.resolve()
  await first
  expect(await Promise.all(others)).toEqual(Array.from({ length: 49 }, (_, i) => [{ i }]))
  expect(await client.run((sql) => sql`select 51 as again`)).toEqual([{ again: 51 }])
})

it.each([
  ['a password that is not the right one any more', '28P01', (sql: Sql) => sql`select 1`, 'nobody:wrong'],
  ['a database that is not there yet', '3D000', (sql: Sql) => sql`select 1`, undefined],
  ['a table that is not there yet', '42P01', (sql: Sql) => sql`select from no_such_table`, ''],
  ['a right that is not granted yet', '42501', (sql: Sql) => raise(sql), ''],
] as const)('%s is a database that cannot serve now', async (_, code, work, login) => {
  const url = new URL(postgresUrl())
  if (login === undefined) url.pathname = 'no_such_database'
  else if (login !== '') [url.username, url.password] = login.split(':') as [string, string]
  await using client = new PostgresClient({ url: url.href, max: 1 })
  await expect(client.run(work)).rejects.toMatchObject({ code: 'unavailable', cause: { code } })
})

const raise = (sql: Sql) => sql.unsafe(`do $$ begin raise exception 'no' using errcode = '42501'; end $$`)

it('one piece of work that takes too long does not take those of others with it', async () => {
  await using client = new PostgresClient({ url: postgresUrl(), max: 2 })
  await client.run((sql) => sql`select 1`)
  const slow = client.transaction(async (sql) => {
    for (let i = 0; i < 4; i++) await sql`select pg_sleep(0.5)`
  })
  await sleep(900)
  const other = client.transaction((sql) => sql`select pg_sleep(0.9)`)
  await expect(slow).rejects.toMatchObject({ code: 'unavailable' })
  expect(await other).toHaveLength(1)
})
