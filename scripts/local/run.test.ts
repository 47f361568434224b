import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { describe, expect, test, vi } from 'vitest'
import { key, nothingLeft, Started, serversOf, Tree, until, urlsOf } from './testing/fixture.ts'

vi.setConfig({ testTimeout: 240_000 })

describe('a run', () => {
  test('keeps its key and its data, and nothing survives it', async () => {
    using tree = new Tree()
    const first = await new Started(tree, { env: { API_KEY: '' } }).ready()
    const apiKey = readFileSync(join(tree.dataDir, 'api-key'), 'utf8').trim()
    for (const file of ['api-key', 'secrets.json', 'run.json']) {
      expect(statSync(join(tree.dataDir, file)).mode & 0o777).toBe(0o600)
    }
    expect(first.stdout).toContain(`API key: ${apiKey}\n`)
    const sql = postgres(urlsOf(tree)['STUDENTS_URL'] ?? '', { max: 1 })
    await sql`create table kept (n int)`
    await sql.end()
    expect(await first.stop('SIGTERM')).toBe(0)
    expect(first.processes).toEqual([])

    await using second = await new Started(tree, { env: { API_KEY: '' } }).ready()
    expect(second.stdout).toContain(apiKey)
    const again = postgres(urlsOf(tree)['STUDENTS_URL'] ?? '', { max: 1 })
    expect(await again`select * from kept`).toEqual([])
    await again.end()
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('answers what is in flight at %s', async (signal) => {
    using tree = new Tree()
    const run = await new Started(tree).ready()
    const gate = tree.hold('request')
    const slow = run.fetch('/api/students/1', { headers: { 'x-hold': 'request' } })
    await until('it is there', () => tree.events('request GET').length === 1)
    const code = run.stop(signal)
    await until('it stops', () => run.stdout.includes('stopping'))
    gate.letGo()
    expect((await slow).status).toBe(200)
    expect(await code).toBe(0)
    expect(run.processes).toEqual([])
  })

  test('is in a hurry at the second signal', async () => {
    using tree = new Tree()
    const run = await new Started(tree).ready()
    run.fetch('/api/students/1', { headers: { 'x-block': '1' } }).catch(() => {})
    await until('it is there', () => tree.events('request GET').length === 1)
    run.child.kill('SIGINT')
    await until('it stops', () => run.stdout.includes('stopping'))
    // Sooner it would be the same Ctrl-C, which comes from the terminal and from npm.
    await sleep(400)
    run.child.kill('SIGINT')
    await run.exited
    await nothingLeft(tree)
  })

  test('can be stopped while it starts', async () => {
    using tree = new Tree()
    for (const ms of [50, 300, 600, 900, 1200, 1800]) {
      const run = new Started(tree)
      await sleep(ms)
      await run.stop('SIGINT')
      await nothingLeft(tree)
    }
    await using run = await new Started(tree).ready()
    expect((await run.fetch('/api/students/1')).status).toBe(200)
  })
})

async function environmentOf(run: Started): Promise<Record<string, string>> {
  const { env } = (await (await run.fetch('/api/students/1')).json()) as { env: Record<string, string> }
  return env
}

test('servers of the user are used instead of engines', async () => {
  using tree = new Tree()
  await using _ = await new Started(tree).ready()
  using other = new Tree()
  await using guest = await new Started(other, { env: serversOf(tree) }).ready()
  expect(guest.stdout).not.toMatch(/Postgres|Redis|NATS/)
  const { COURSES_URL, ...needed } = serversOf(tree)
  const env = await environmentOf(guest)
  expect(env).toMatchObject(needed)
  expect(env).not.toHaveProperty('COURSES_URL')
})

test('a function comes to the engines as itself, and to a server of the user as that URL says', async () => {
  using tree = new Tree()
  await using own = await new Started(tree).ready()
  const usersOf = ({ STUDENTS_URL = '', EVENTS_URL = '' }: Record<string, string>): string[] =>
    [STUDENTS_URL, EVENTS_URL].map((url) => new URL(url).username)
  expect(usersOf(await environmentOf(own))).toEqual(['registrar.students-get', 'students-get'])
  using other = new Tree()
  const { COURSES_URL = '' } = serversOf(tree)
  await using mixed = await new Started(other, { env: { COURSES_URL } }).ready()
  expect(usersOf(await environmentOf(mixed))).toEqual(['registrar', 'students-get'])
})

test('a watched run serves an edit at the next request', async () => {
  using tree = new Tree()
  await using run = await new Started(tree, { args: ['--watch'] }).ready()
  const ask = async (): Promise<number> =>
    ((await (await run.fetch('/api/students/1')).json()) as { pid: number }).pid
  const before = await ask()
  expect(await ask()).toBe(before)
  const handler = 'functions/students/get/handler.ts'
  tree.write(handler, 'export default 1\n')
  const written = await ask()
  expect(written).not.toBe(before)
  // As editors save: another file takes the place of the old one.
  for (let save = 2, last = written; save < 6; save++) {
    tree.write(`${handler}~`, `export default ${save}\n`)
    renameSync(join(tree.root, `${handler}~`), join(tree.root, handler))
    const now = await ask()
    expect(now).not.toBe(last)
    expect(await ask()).toBe(now)
    last = now
  }
})

test.runIf(process.getuid?.() === 0)('a tree that only root may enter', async () => {
  mkdirSync('/root', { recursive: true })
  const closed = mkdtempSync('/root/registrar-closed-')
  try {
    using tree = new Tree(closed)
    await using run = await new Started(tree).ready()
    expect((await run.fetch('/api/students/1', { headers: { 'x-api-key': key } })).status).toBe(200)
  } finally {
    rmSync(closed, { recursive: true, force: true })
  }
})
