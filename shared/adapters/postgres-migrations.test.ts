import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase } from '../testing/database.ts'
import { PostgresMigrations } from './postgres-migrations.ts'

const stack = new AsyncDisposableStack()
let sql: postgres.Sql
let migrations: PostgresMigrations
let migrate: (name: string, text: string) => Promise<void>
beforeAll(async () => {
  const { url } = stack.use(await testDatabase())
  sql = postgres(url, { max: 1, onnotice: () => {} })
  stack.defer(() => sql.end())
  const dir = await mkdtemp(join(tmpdir(), 'registrar-migrations-'))
  stack.defer(() => rm(dir, { recursive: true }))
  migrations = new PostgresMigrations({ url, schema: 'things', folder: pathToFileURL(`${dir}/`) })
  migrate = async (name, text) => {
    await writeFile(join(dir, name), text)
    for (const step of await migrations.plan()) await step.apply()
  }
})
afterAll(() => stack.disposeAsync())

const planned = async (): Promise<string[]> => (await migrations.plan()).map(({ title }) => title)

it('wants what all migrations together come to', async () => {
  await migrate('0001_one.sql', 'create table things (id int, old text); create index on things (old)')
  expect(await planned()).toEqual([])
  await migrate('0002_two.sql', 'alter table things drop column old, alter column id type bigint')
  expect(await planned()).toEqual([])
  await sql`alter table things.things alter column id type int`
  expect(await planned()).toEqual(['schema things: column things.id is integer, not bigint'])
  await sql`alter table things.things alter column id type bigint`
  expect(await planned()).toEqual([])
})

it('takes an index that was not built to its end for another', async () => {
  await migrate('0003_three.sql', 'create unique index things_id_idx on things (id)')
  await sql`drop index things.things_id_idx`
  await sql`insert into things.things values (1), (1)`
  await expect(sql`create unique index concurrently things_id_idx on things.things (id)`).rejects.toThrow()
  const [step] = await migrations.plan()
  expect(step).toMatchObject({
    title: expect.stringMatching(/^schema things: index things_id_idx is .*\(invalid\), not /),
    manual: true,
  })
  await expect(step?.apply()).rejects.toThrow('by hand')
  await sql`drop index things.things_id_idx`
  await sql`delete from things.things`
  expect(await planned()).toEqual(['schema things: create index things_id_idx'])
})

it('is done once by two at a time', async () => {
  const plans = await Promise.all([migrations.plan(), migrations.plan()])
  await Promise.all(plans.flat().map((step) => step.apply()))
  expect(await planned()).toEqual([])
})
