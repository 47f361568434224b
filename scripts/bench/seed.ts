import { courseIdSql, studentIdSql } from './ids.ts'
import { type Database, open } from './stage.ts'

const firstNames =
  'Ada Alan Barbara Bela Carla Chen Dana Dmitri Edsger Elena Emmy Farid Fatima Grace Hana Hedy Ingrid Ivan Jamal Jean Joan Kaito Karen Kwame Leila Linus Maria Marvin Nadia Niklaus Olga Omar Priya Radia Rosa Sofia Tariq Vera Wei Zsofia'
const lastNames =
  'Abbott Ahmed Bartik Becker Borg Chavez Clarke Diallo Dijkstra Easley Estrin Feinler Floyd Garcia Goldberg Hamilton Hopper Ito Ivanova Johnson Kaur Keller Kovacs Lamarr Liskov Lovelace Meitner Mensah Noether Nygaard Okafor Perlman Quint Rossi Sammet Silva Tanaka Turing Wilkes Zhang'
const words =
  'Amber Birch Cedar Coral Dune Ember Fjord Grove Heath Indigo Juniper Kestrel Larch Maple Nova Olive Pearl Quartz Raven Sable Tulip Umber Violet Willow Yarrow'

/** A list of words as SQL, by a number that may be any. */
const pick = (list: string, n: string): string =>
  `(string_to_array('${list}', ' '))[1 + (${n}) % ${list.split(' ').length}]`

/** In an order that says nothing of the names, each triple once: the prime is larger than any table here. */
const mixed = '((n::bigint * 611953) % 1000003)::int'
const nick = (n: string): string => `${pick(words, `${n} / 1600`)} || ' ' || (${n} / 40000)`
/** One every second, up to now; in whole milliseconds, as the services write them. */
const times = (count: number): string =>
  `date_trunc('milliseconds', now()) - (${count} - n) * interval '1 second'`

const tables = {
  students: (count: number): string => `
    insert into students.entities (id, name, first_name, last_name, version, created_at, updated_at)
    select ${studentIdSql('n')}, ${nick('m')}, ${pick(firstNames, 'm')}, ${pick(lastNames, 'm / 40')}, 1, t, t
    from generate_series(1, ${count}) n, lateral (select ${mixed} as m, ${times(count)} as t) x`,
  courses: (count: number): string => `
    insert into courses.entities (id, document, attributes, version, created_at, updated_at)
    select ${courseIdSql('n')}, jsonb_build_object('name', ${nick('m')}, 'discipline', ${pick(words, 'm')},
      'teacher', ${pick(firstNames, 'm')} || ' ' || ${pick(lastNames, 'm / 40')},
      'description', 'What ' || ${nick('m')} || ' has to say, and what it leaves to others',
      'kind', (array['in_class', 'elective', 'externship'])[1 + m % 3]),
      '{"credits": 5, "rooms": ["B12", "C3"]}', 1, t, t
    from generate_series(1, ${count}) n, lateral (select ${mixed} as m, ${times(count)} as t) x`,
} as const

export type Service = keyof typeof tables

/** The names of the first of every table; each is that of others too. */
export const someNames = { first: nth(firstNames, 611953), last: nth(lastNames, 611953 / 40) } as const

function nth(list: string, n: number): string {
  const all = list.split(' ')
  return all[Math.floor(n) % all.length] ?? ''
}

/** Fills the empty table of a service with this many entities, numbered from 1. */
export async function seed(url: string, service: Service, count: number): Promise<void> {
  await using database = open(url)
  const { sql } = database
  // What is committed here is lost with the benchmark anyway.
  await sql.unsafe('set synchronous_commit = off; set maintenance_work_mem = "256MB"')
  // One index after the other over a full table takes a fraction of what row by row into all of them does.
  const indexes = await sql<{ name: string; definition: string }[]>`
    select indexname as name, indexdef as definition from pg_indexes
    where schemaname = ${service} and tablename = 'entities'
    and indexname not in (select conname from pg_constraint)`
  for (const { name } of indexes) await sql.unsafe(`drop index ${service}.${name}`)
  await sql.unsafe(tables[service](count))
  for (const { definition } of indexes) await sql.unsafe(definition)
  await sql.unsafe(`vacuum analyze ${service}.entities`)
  await sql.unsafe('checkpoint')
}

/** Enrols a student in courses, on both sides, as if long confirmed. */
export async function enrol({ sql }: Database, student: string, courses: readonly string[]): Promise<void> {
  for (const [i, course] of courses.entries()) {
    const register = { present: true, ts: 1_700_000_000_000_000 + i, origin: 'S' }
    await sql`insert into students.links ${sql({ owner: student, member: course, ...register })}`
    await sql`insert into courses.links ${sql({ owner: course, member: student, ...register })}`
  }
}

/** Enrols each of the first so many students in as many courses, from that of its own number on, and the other way round. */
export async function enrolAll(url: string, count: number, each: number): Promise<void> {
  await using database = open(url)
  const { sql } = database
  const [student, course] = [studentIdSql('n'), courseIdSql(`(1 + (n - 1 + k) % ${count})`)]
  const register = `true, 1700000000000000 + k, 'S'`
  const pairs = `generate_series(1, ${count}) n, generate_series(0, ${each - 1}) k`
  await sql.unsafe('set synchronous_commit = off')
  for (const [service, own, other] of [
    ['students', student, course],
    ['courses', course, student],
  ])
    await sql.unsafe(`insert into ${service}.links select ${own}, ${other}, ${register} from ${pairs}`)
  await sql.unsafe('vacuum analyze students.links, courses.links')
  await sql.unsafe('checkpoint')
}
