import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase } from '../../../shared/testing/database.ts'

/*
 * The views by which other services of the same database join students with what they know of them. Their role is made as
 * deploy.md says.
 */

const stack = new AsyncDisposableStack()
const role = `reader_${randomBytes(6).toString('hex')}`
const student = '01a20c7b-b3ab-723b-9f2c-934f944833dd'
let owner: postgres.Sql
let reader: postgres.Sql

const open = (url: string): postgres.Sql => {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  stack.defer(() => sql.end())
  return sql
}

beforeAll(async () => {
  const { url } = stack.use(await testDatabase())
  owner = open(url)
  await owner`insert into students.entities (id, name, first_name, last_name, version, created_at, updated_at)
    values (${student}, 'Countess', 'Ada', 'Lovelace', 1, now(), now())`
  await owner`insert into students.links (owner, member, present, ts, origin) values
    (${student}, 'analysis', true, 1700000000000000, 'S'), (${student}, 'ended', false, 1700000000000000, 'S')`
  await owner.unsafe(`create role ${role} login password 'reader'`)
  stack.defer(async () => {
    await owner.unsafe(`drop owned by ${role}`)
    await owner.unsafe(`drop role ${role}`)
  })
  await owner.unsafe(`grant usage on schema students to ${role}`)
  await owner.unsafe(`grant select on students.directory, students.directory_enrolments to ${role}`)
  await owner.unsafe(`create schema roles authorization ${role}`)
  const own = new URL(url)
  own.username = role
  own.password = 'reader'
  reader = open(own.href)
})
afterAll(() => stack.disposeAsync())

it('another service joins its tables with them', async () => {
  await reader`create table roles.roles (student_id uuid, role text)`
  await reader`insert into roles.roles values (${student}, 'tutor')`
  const found = await reader`select last_name, role, course_id, since
    from students.directory join roles.roles on id = roles.student_id
    join students.directory_enrolments using (student_id)`
  expect([...found]).toEqual([
    { last_name: 'Lovelace', role: 'tutor', course_id: 'analysis', since: new Date(1_700_000_000_000) },
  ])
  await expect(reader`select * from students.entities`).rejects.toThrow(/permission denied/)
})

it.each([
  `update students.directory set last_name = 'x'`,
  'delete from students.directory',
  `insert into students.directory (id, name) values (gen_random_uuid(), 'x')`,
  'delete from students.directory_enrolments',
])('nobody writes through them, be it their owner: %s', async (statement) => {
  await expect(owner.unsafe(statement)).rejects.toThrow(
    /^cannot (update|delete from|insert into) view "directory/,
  )
})

it('one student, and the courses of one, are read from indexes, however many there are', async () => {
  await owner`set enable_seqscan = off`
  for (const query of [
    `select * from students.directory where id = '${student}'`,
    `select * from students.directory_enrolments where student_id = '${student}'`,
  ]) {
    const plan = JSON.stringify(await owner.unsafe(`explain (format json) ${query}`))
    expect(plan).toMatch(/Index|Bitmap/)
    expect(plan).not.toContain('CTE Scan')
  }
})
