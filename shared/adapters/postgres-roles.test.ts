import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresStudents } from '../../functions/students/adapters/postgres-students.ts'
import roles from '../generated/roles.json' with { type: 'json' }
import { passwordOf, roleOf, urlFor } from '../provision/credentials.ts'
import { collectOld } from '../resource/collect.ts'
import { testDatabase } from '../testing/database.ts'
import { PostgresClient, poolSize } from './postgres-client.ts'
import { PostgresOutbox } from './postgres-outbox.ts'
import { PostgresRepository } from './postgres-repository.ts'
import { PostgresRoles } from './postgres-roles.ts'

const stack = new AsyncDisposableStack()
const key = randomBytes(24).toString('hex')
let owner: postgres.Sql
let url: string
let database: string

const rolesOf = (service: string, roleKey = key): PostgresRoles =>
  new PostgresRoles({
    url,
    schema: service,
    key: roleKey,
    functions: roles.filter((one) => one.service === service),
  })

async function provision(service: string, roleKey = key): Promise<string[]> {
  const steps = await rolesOf(service, roleKey).plan()
  for (const step of steps) await step.apply()
  return steps.map(({ title }) => title)
}

beforeAll(async () => {
  const made = await testDatabase()
  url = made.url
  database = new URL(url).pathname.slice(1)
  owner = postgres(url, { max: 1, onnotice: () => {} })
  stack.defer(async () => {
    for (const { function: slug } of roles) {
      await owner.unsafe(`drop owned by "${roleOf(database, slug)}"`)
      await owner.unsafe(`drop role "${roleOf(database, slug)}"`)
    }
    await owner.end()
    await made[Symbol.asyncDispose]()
  })
  await provision('students')
  await provision('courses')
})
afterAll(() => stack.disposeAsync())

/** Runs a statement as a function; rolled back, whatever it did. The SQLSTATE with which it was refused, or `ok`. */
async function tried(slug: string, statement: string): Promise<string> {
  const sql = postgres(urlFor(slug, url, key), { max: 1, onnotice: () => {} })
  try {
    await sql.begin(async (transaction) => {
      await transaction.unsafe(statement)
      throw new RolledBack()
    })
    return 'unreachable'
  } catch (error) {
    if (error instanceof RolledBack) return 'ok'
    return error instanceof postgres.PostgresError ? error.code : String(error)
  } finally {
    await sql.end()
  }
}

class RolledBack extends Error {}

const refused = '42501'

const tables = ['entities', 'links', 'outbox', 'tombstones', 'idempotency', 'migrations']

/** What each kind of function may do: written down here once more, by what it is for. */
const readers = ['entities: select', 'links: select']
const writers = [
  ...['entities: select', 'entities: insert', 'entities: update', 'entities: delete'],
  ...['links: select', 'links: insert', 'links: update'],
  ...['outbox: select', 'outbox: insert', 'tombstones: insert'],
  ...['idempotency: select', 'idempotency: insert', 'idempotency: update'],
]
const sweepers = [
  ...['entities: select', 'links: select', 'links: delete', 'outbox: select', 'outbox: delete'],
  ...['tombstones: select', 'tombstones: delete', 'idempotency: select', 'idempotency: delete'],
]
const expected: Readonly<Record<string, readonly string[]>> = {
  get: readers,
  list: readers,
  students: readers,
  courses: readers,
  'by-student': readers,
  'by-course': readers,
  create: writers,
  update: writers,
  delete: writers,
  enrol: writers,
  'fan-out': ['outbox: select'],
  sweep: sweepers,
}

describe.each(roles.map(({ function: slug, service }) => ({ slug, service })))(
  'the role of $slug',
  ({ slug, service }) => {
    const other = service === 'students' ? 'courses' : 'students'

    it('may do its own work and nothing else', async () => {
      const may: string[] = []
      const answers = new Set<string>()
      for (const schema of [service, other])
        for (const table of tables) {
          // Asked of the server, since what is asked by statements needs rights to read besides.
          const name = `${schema}.${table}`
          const [found] = await owner<Record<string, boolean>[]>`select
          has_table_privilege(${roleOf(database, slug)}, ${name}, 'select') as select,
          has_table_privilege(${roleOf(database, slug)}, ${name}, 'insert') as insert,
          has_table_privilege(${roleOf(database, slug)}, ${name}, 'update') as update,
          has_table_privilege(${roleOf(database, slug)}, ${name}, 'delete') as delete,
          has_table_privilege(${roleOf(database, slug)}, ${name}, 'truncate, references, trigger') as other`
          for (const [privilege, granted] of Object.entries(found ?? {}))
            if (granted) may.push(`${schema === service ? '' : 'OTHER '}${table}: ${privilege}`)
        }
      expect(may.sort()).toEqual([...(expected[slug.replace(/^[a-z]+-/, '')] ?? [])].sort())
      for (const statement of [
        `select from ${other}.entities`,
        `create table ${service}.theirs (id int)`,
        `drop table ${service}.links`,
        `alter table ${service}.entities add column theirs int`,
        `truncate ${service}.outbox`,
        `select from ${service}.migrations`,
        `create role "${database}.theirs"`,
        'create schema theirs',
        'set role registrar',
        'set session authorization registrar',
        "copy (select 1) to program 'true'",
      ])
        answers.add(`${await tried(slug, statement)}`)
      expect([...answers]).toEqual([refused])
    })
  },
)

it('what is refused is refused by the server, statement by statement', async () => {
  const answers: string[] = []
  for (const slug of ['students-get', 'students-fan-out'])
    for (const table of ['entities', 'links', 'outbox', 'tombstones'])
      for (const verb of ['select', 'delete'])
        answers.push(
          `${slug} ${verb} ${table} ${await tried(slug, `${verb} from students.${table} where false`)}`,
        )
  expect(answers.filter((answer) => !answer.endsWith(refused))).toEqual([
    'students-get select entities ok',
    'students-get select links ok',
    'students-fan-out select outbox ok',
  ])
  const set = (slug: string, what: string) => tried(slug, `update students.${what} where false`)
  expect(await set('students-fan-out', 'outbox set sent_at = now()')).toBe('ok')
  expect(await set('students-fan-out', 'outbox set entry = null')).toBe(refused)
  expect(await set('students-sweep', 'entities set floor = 1')).toBe('ok')
  expect(await set('students-sweep', 'entities set version = 1')).toBe(refused)
})

it('a sweeper can do its work', async () => {
  const id = '01900000-0000-7000-8000-000000000001'
  await owner`insert into students.entities values (${id}, 'Name', 'First', 'Last', 1, 0, now(), now())`
  await owner`insert into students.links values (${id}, 'c1', false, 1000, 'S', null)`
  await owner`insert into students.outbox values (${id}, ${JSON.stringify({ id })}, now() - interval '1 hour')`
  await owner`insert into students.tombstones values (${id}, now() - interval '31 days')`
  await owner`insert into students.idempotency values ('k', 'p', 'a', now() - interval '25 hours')`
  await using client = new PostgresClient({ url: urlFor('students-sweep', url, key) })
  const outbox = new PostgresOutbox(client, 'students')
  expect(await outbox.sweep(1000, 10, async () => {})).toMatchObject({ settled: 1 })
  await owner`update students.outbox set sent_at = now() - interval '25 hours'`
  await outbox.purge()
  expect(await collectOld(new PostgresRepository(client, postgresStudents))).toBe(1)
  const left = await owner`select (select count(*)::int from students.outbox) as outbox,
    (select count(*)::int from students.tombstones) as tombstones, (select count(*)::int from students.links) as links,
    (select count(*)::int from students.idempotency) as claims, floor::int from students.entities`
  expect(left[0]).toEqual({ outbox: 0, tombstones: 0, links: 0, claims: 0, floor: 1000 })
})

it('one instance of each function, as a local run has them, and an operator find room at the server', async () => {
  const [server] = await owner<{ max_connections: string }[]>`show max_connections`
  expect(roles.length * poolSize + 20).toBeLessThanOrEqual(Number(server?.max_connections))
})

describe('the roles', () => {
  it('are made once, and nothing is done again', async () => {
    expect(await provision('students')).toEqual([])
  })

  it.each([
    ['a right more', 'grant update on students.entities to %', 'revoke update on students.entities'],
    ['a right more elsewhere', 'grant select on courses.links to %', 'revoke select on courses.links'],
    [
      'a right more on a column',
      'grant update (name) on students.entities to %',
      'revoke update (name) on students.entities',
    ],
    ['a right less', 'revoke select on students.links from %', 'grant select on students.links'],
    ['a power', 'alter role % createdb', 'set back its attributes'],
    ['a membership', 'grant pg_read_all_data to %', 'set back its attributes'],
    ['no login', 'alter role % nologin', 'set back its attributes'],
    ['a strange note', "comment on role % is 'x'", 'change its password'],
  ])('with %s are mended', async (_, harm, title) => {
    const role = roleOf(database, 'students-get')
    await owner.unsafe(harm.replace('%', `"${role}"`))
    expect(await provision('students')).toEqual([`role ${role}: ${title}`])
    expect(await provision('students')).toEqual([])
    expect(await tried('students-get', 'select from students.entities')).toBe('ok')
  })

  it('have other passwords by another key', async () => {
    const next = randomBytes(24).toString('hex')
    const changed = await provision('students', next)
    expect(changed).toHaveLength(10)
    expect(changed.every((title) => title.endsWith(': change its password'))).toBe(true)
    expect(await tried('students-get', 'select 1')).toBe('28P01')
    await provision('students')
    expect(await tried('students-get', 'select 1')).toBe('ok')
  })

  it('of a password nothing is told: not in a plan, not in the catalogue, not in a statement', async () => {
    const password = passwordOf(key, 'students-get')
    const [kept] =
      await owner`select rolpassword from pg_authid where rolname = ${roleOf(database, 'students-get')}`
    expect(kept?.['rolpassword']).toMatch(/^SCRAM-SHA-256\$1:/)
    expect(JSON.stringify(await rolesOf('students', `${key}x`).plan())).not.toContain(password.slice(0, 12))
  })
})
