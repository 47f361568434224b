import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { passwordOf } from '../../shared/provision/credentials.ts'
import { discoverFunctions } from '../../shared/spec/discover.ts'
import { aCourse, aStudent, type Entity, read, send } from './testing/client.ts'
import { key, Started, until } from './testing/fixture.ts'
import { WholeTree } from './testing/whole-tree.ts'

/*
 * A whole run with all that may make it talk: wrong keys in every place, servers that die, messages that nobody can read.
 */

let tree: WholeTree
let run: Started
/** By what they are called in a failure: a secret itself is not to be seen there either. */
let secrets: ReadonlyMap<string, string>
const told: string[] = []
/** What `ps` shows to everybody on the machine. */
const titles = new Set<string>()

const dataFile = (name: string) => JSON.parse(readFileSync(join(tree.dataDir, name), 'utf8'))

beforeAll(async () => {
  tree = new WholeTree()
  run = await new Started(tree, { env: { IDLE_SECONDS: '2' } }).ready()
  const kept: Record<'postgres' | 'redis' | 'nats' | 'roles', string> = dataFile('secrets.json')
  expect(Object.keys(kept)).toEqual(['postgres', 'redis', 'nats', 'roles'])
  const slugs = (await discoverFunctions(join(import.meta.dirname, '../..'))).map(({ name }) => name.slug)
  const ofFunctions = slugs.map((slug) => [slug, passwordOf(kept.roles, slug)])
  secrets = new Map(Object.entries({ 'API key': key, ...kept, ...Object.fromEntries(ofFunctions) }))
  await makeItTalk()
  await run.stop()
}, 240_000)

afterAll(async () => {
  await run?.[Symbol.asyncDispose]()
  tree?.[Symbol.dispose]()
}, 180_000)

async function ask(path: string, init?: RequestInit): Promise<void> {
  const response = await fetch(`${run.url}${path}`, init)
  told.push(JSON.stringify([...response.headers]), await response.text())
  look()
}

function look(): void {
  for (const pid of run.processes) {
    try {
      titles.add(readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '))
    } catch {
      // It ended meanwhile.
    }
  }
}

async function makeItTalk(): Promise<void> {
  const course = await aCourse(run)
  const student = await aStudent(run, [course.id])
  await until(
    'they are linked',
    async () =>
      (await read<Entity>(run, `/api/courses/${course.id}`)).student_ids?.includes(student.id) === true,
  )
  const json = { 'content-type': 'application/json' }
  const known = { 'x-api-key': key }
  await ask(`/api/students/${student.id}?apikey=${key}`)
  await ask(`/api/students/${key}`, { headers: known })
  await ask(`/api/students?name=${key}&sort=${key}`, { headers: known })
  await ask('/api/students', { method: 'POST', headers: { ...json, apikey: `${key}x` }, body: '{}' })
  await ask('/api/students', { method: 'POST', headers: json, body: `{"apikey":"${key}","x":1}` })
  await ask('/api/students', { method: 'POST', headers: json, body: `{"apikey":"${key}"` })
  await ask(`/api/students/${student.id}/enrolments`, { headers: known })
  for (const name of ['Postgres', 'Redis', 'NATS']) {
    process.kill(dataFile('engines.json')[name].pid, 'SIGKILL')
    await ask(`/api/students/${student.id}`, { headers: known })
    await ask('/api/students/health', { headers: known })
    await ask('/api/students', { headers: known })
    await until(`${name} is back`, () => run.stdout.includes(`"engine restarted","engine":"${name}"`))
  }
  await until('it serves again', async () => (await run.fetch('/api/students/health')).status === 200)
  await send(
    run,
    'PATCH',
    `/api/students/${student.id}`,
    { course_ids: [] },
    { 'content-type': 'application/merge-patch+json' },
  )
  await ask('/metrics')
  await ask('/api/openapi.json')
  look()
}

/** Names of the secrets that a text has. */
const found = (text: string): string[] =>
  [...secrets].filter(([, secret]) => text.includes(secret)).map(([name]) => name)

/** Of a start its own last words, which are for who started it. */
const forTheUser = /^(API key: .*|try: .*)$/gm

describe('no secret', () => {
  test('is printed or logged, but for the key and its curl command at the start', () => {
    expect(run.stdout.match(forTheUser)).toHaveLength(2)
    expect(run.stdout).toContain('"function":"students/get"')
    expect(run.stdout).toContain('"level":"error"')
    expect(found(run.stdout.replaceAll(forTheUser, ''))).toEqual([])
    expect(found(run.stderr)).toEqual([])
  })

  test('is in an answer', () => {
    expect(told.length).toBeGreaterThan(30)
    expect(told.flatMap(found)).toEqual([])
  })

  test('is in a command line', () => {
    const all = [...titles]
    expect(all.some((title) => title.startsWith('students/get'))).toBe(true)
    expect(all.some((title) => title.includes('postgres'))).toBe(true)
    expect(all.flatMap(found)).toEqual([])
  })

  test('is in a file that others may read', () => {
    const readable = files(tree.dataDir).filter((file) => (statSync(file).mode & 0o077) !== 0)
    expect(readFileSync(join(tree.dataDir, 'nats/nats.conf'), 'utf8')).toContain(secrets.get('courses-enrol'))
    const open = readable.filter((file) => found(readFileSync(file, 'latin1')).length > 0)
    expect(open.map((file) => relative(tree.dataDir, file))).toEqual([])
  })
})

/** Files below a folder that others may enter. */
function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) return entry.isFile() ? [path] : []
    return (statSync(path).mode & 0o077) === 0 ? [] : files(path)
  })
}
