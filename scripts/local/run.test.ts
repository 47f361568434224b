import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'nats'
import postgres from 'postgres'
import { describe, expect, test, vi } from 'vitest'
import { natsUrl, postgresUrl, redisUrl } from '../../shared/testing/engines.ts'
import { processStat } from './process-table.ts'
import { natsOptions } from './reach.ts'
import { key, kill, processesOf, Started, type StartOptions, Tree, until } from './testing/fixture.ts'

vi.setConfig({ testTimeout: 120_000 })

const urlsOf = (tree: Tree): Record<string, string> =>
  JSON.parse(readFileSync(join(tree.dataDir, 'run.json'), 'utf8')).urls
/** The four servers of a run. */
const backingOf = (tree: Tree): Record<string, string> =>
  Object.fromEntries(Object.entries(urlsOf(tree)).filter(([name]) => !name.startsWith('STUDENTS_BY')))
const nothingLeft = (tree: Tree): Promise<void> =>
  until('nothing is left', () => processesOf(tree.root).length === 0)
/** A start that is not to come to anything. */
async function refused(tree: Tree, options: StartOptions): Promise<{ code: number | null; stderr: string }> {
  const run = new Started(tree, options)
  const code = await run.exited
  return { code, stderr: run.stderr }
}

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

test('servers of the user are used instead of engines', async () => {
  using tree = new Tree()
  await using _ = await new Started(tree).ready()
  using other = new Tree()
  await using guest = await new Started(other, { env: backingOf(tree) }).ready()
  expect(guest.stdout).not.toMatch(/Postgres|Redis|NATS/)
  const { env } = (await (await guest.fetch('/api/students/1')).json()) as { env: Record<string, string> }
  expect(env).toMatchObject(backingOf(tree))
})

describe('nothing survives', () => {
  test('SIGKILL of the runner, and the next start works at once', async () => {
    using tree = new Tree()
    for (let round = 0; round < 3; round++) {
      const run = await new Started(tree).ready()
      await run.fetch('/api/students/1')
      await run.stop('SIGKILL')
    }
    const last = await new Started(tree).ready()
    await last.fetch('/api/students/1')
    await last.stop('SIGKILL')
    await nothingLeft(tree)
  })

  test('SIGKILL of the runner at any moment of its start', async () => {
    using tree = new Tree()
    for (const ms of [150, 350, 500, 650, 800, 1000, 1300, 1600]) {
      const run = new Started(tree)
      await sleep(ms)
      await run.stop('SIGKILL')
      await nothingLeft(tree)
    }
    await using run = await new Started(tree).ready()
    expect((await run.fetch('/api/students/1')).status).toBe(200)
  })

  test('SIGKILL of the npm above, which drains', async () => {
    using tree = new Tree()
    const run = await new Started(tree, { npm: true }).ready()
    const gate = tree.hold('request')
    const slow = run.fetch('/api/students/1', { headers: { 'x-hold': 'request' } })
    await until('it is there', () => tree.events('request GET').length === 1)
    process.kill(run.child.pid ?? 0, 'SIGKILL')
    await until('it stops', () => run.stdout.includes('stopping'))
    gate.letGo()
    expect((await slow).status).toBe(200)
    await nothingLeft(tree)
  })

  test('SIGKILL of npm and all of its group', async () => {
    using tree = new Tree()
    const run = await new Started(tree, { npm: true }).ready()
    await run.fetch('/api/students/1')
    process.kill(-(run.child.pid ?? 0), 'SIGKILL')
    await nothingLeft(tree)
  })

  test('SIGKILL of its owner, which drains', async () => {
    using tree = new Tree()
    const owner = spawn('sleep', ['600'], { stdio: 'ignore' })
    const run = await new Started(tree, { env: { OWNER_PIDS: `${process.pid},${owner.pid}` } }).ready()
    const gate = tree.hold('request')
    const slow = run.fetch('/api/students/1', { headers: { 'x-hold': 'request' } })
    await until('it is there', () => tree.events('request GET').length === 1)
    owner.kill('SIGKILL')
    await until('it stops', () => run.stdout.includes('stopping (its owner has ended)'))
    gate.letGo()
    expect((await slow).status).toBe(200)
    expect(await run.exited).toBe(0)
    await nothingLeft(tree)
  })

  test('SIGINT to all of the group, as a terminal sends it', async () => {
    using tree = new Tree()
    const run = await new Started(tree, { npm: true }).ready()
    const gate = tree.hold('request')
    const slow = run.fetch('/api/students/1', { headers: { 'x-hold': 'request' } })
    await until('it is there', () => tree.events('request GET').length === 1)
    process.kill(-(run.child.pid ?? 0), 'SIGINT')
    await until('it stops', () => run.stdout.includes('stopping'))
    gate.letGo()
    expect((await slow).status).toBe(200)
    await run.exited
    await nothingLeft(tree)
  })

  test('SIGKILL of the guardian, and then of the runner', async () => {
    using tree = new Tree()
    const run = await new Started(tree).ready()
    const guardians = (): number[] =>
      processesOf('guardian.sh').filter((pid) => processStat(pid)?.parent === run.runner)
    const [first] = guardians()
    process.kill(first ?? 0, 'SIGKILL')
    await until('there is another', () => guardians().length === 1 && guardians()[0] !== first)
    await run.stop('SIGKILL')
    await nothingLeft(tree)
  })
})

describe('a start is refused with one sentence', () => {
  test('when another has its data directory', async () => {
    using tree = new Tree()
    await using _ = await new Started(tree).ready()
    const { code, stderr } = await refused(tree, {})
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^Another start uses the data directory .*\n$/)])
  })

  type Place = readonly [what: string, dir: string, why: string]
  const onLinux: readonly Place[] = [
    ['where nothing can be made', '/proc/registrar', 'nothing can be made there'],
    ['far below such a place', '/proc/registrar/a/b', 'nothing can be made there'],
    ['such a place itself', '/proc', 'nothing can be made there'],
    ['where nobody may write', '/sys/registrar', 'nobody may write there'],
  ]
  test.each<Place>([
    ['below a file', 'journal/data', 'stands in its way'],
    ['a file', 'journal', 'has its name'],
    ...(process.platform === 'linux' ? onLinux : []),
  ])('when its data directory is %s', async (_, dir, why) => {
    using tree = new Tree()
    const { code, stderr } = await refused(tree, { env: { DATA_DIR: dir } })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^The data directory ${dir} cannot be used, .*${why}: .*\n$`)),
    ])
  })

  test('of two at once exactly one comes up', async () => {
    using tree = new Tree()
    const runs = [new Started(tree), new Started(tree)]
    const ends = await Promise.race(runs.map((run) => run.exited))
    expect(ends).toBe(1)
    const [winner] = runs.filter((run) => !run.stderr.includes('Another start'))
    await winner?.ready()
    await winner?.[Symbol.asyncDispose]()
  })

  test.each(['127.0.0.1', '::1', '0.0.0.0', '::'])('when its port is taken on %s', async (host) => {
    using tree = new Tree()
    const server = createServer().listen(0, host)
    await until('it listens', () => server.listening)
    const address = server.address()
    const port = address && typeof address === 'object' ? address.port : 0
    const { code, stderr } = await refused(tree, { env: { PORT: String(port) } })
    server.close()
    expect([code, stderr]).toEqual([1, expect.stringMatching(new RegExp(`^Port ${port} .*\n$`))])
  })

  test('for each thing that is wrong with the configuration', async () => {
    using tree = new Tree()
    const { code, stderr } = await refused(tree, {
      env: { PORT: 'x', IDLE_SECONDS: 'y', CACHE_URL: 'http://u:secret@h' },
    })
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toHaveLength(3)
    expect(stderr).not.toContain('secret')
  })

  test('for each server that cannot be reached, without its password', async () => {
    using tree = new Tree()
    const urls = {
      STUDENTS_URL: 'postgres://u:secret@127.0.0.1:1/d',
      COURSES_URL: 'mongodb://u:secret@127.0.0.1:1/d',
      CACHE_URL: 'redis://:secret@127.0.0.1:1',
      EVENTS_URL: 'nats://u:secret@127.0.0.1:1',
    }
    const { code, stderr } = await refused(tree, { env: urls })
    expect(code).toBe(1)
    expect(
      stderr
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(Object.keys(urls))
    expect(stderr).not.toMatch(/secret|\n\s+at /)
  })

  test('for each server of another kind, without its password', async () => {
    using tree = new Tree()
    const [pg, redis, nats] = [postgresUrl(), redisUrl(), natsUrl()].map((url) => new URL(url).host)
    const urls = {
      STUDENTS_URL: `postgres://u:secret@${redis}/d`,
      COURSES_URL: `mongodb://u:secret@${nats}/d`,
      CACHE_URL: `redis://:secret@${nats}`,
      EVENTS_URL: `nats://u:secret@${pg}`,
    }
    const { code, stderr } = await refused(tree, { env: urls })
    expect([code, stderr.trim().split('\n')]).toEqual([
      1,
      [
        `STUDENTS_URL (postgres://***@${redis}/d) cannot be used: no Postgres server answers there.`,
        `COURSES_URL (mongodb://***@${nats}/d) cannot be used: no MongoDB server answers there.`,
        `CACHE_URL (redis://${nats}) cannot be used: no Redis server answers there.`,
        `EVENTS_URL (nats://***@${pg}) cannot be used: no NATS server answers there.`,
      ],
    ])
  })

  test('when the credentials are wrong', async () => {
    using tree = new Tree()
    await using _ = await new Started(tree).ready()
    using other = new Tree()
    const wrong = Object.entries(backingOf(tree)).map(([name, url]) => [
      name,
      url.replace(/:[\da-f]{48}@/, ':wrong@'),
    ])
    const { code, stderr } = await refused(other, { env: Object.fromEntries(wrong) })
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toHaveLength(4)
    expect(stderr).not.toContain(':wrong@')
  })

  test('when the initializer fails', async () => {
    using tree = new Tree()
    const { code, stderr } = await refused(tree, { env: { NODE_TEST_FAIL_INITIALIZE: '1' } })
    expect([code, stderr]).toEqual([1, expect.stringContaining('the schema is not what it should be')])
    expect(stderr.trim().split('\n')).toHaveLength(1)
    await nothingLeft(tree)
  })
})

describe('what dies is started again', () => {
  test('engines, with port, password and data', async () => {
    using tree = new Tree()
    await using run = await new Started(tree).ready()
    const urls = urlsOf(tree)
    const sql = postgres(urls['STUDENTS_URL'] ?? '', { max: 1 })
    await sql`create table kept (n int)`
    await sql`insert into kept values (1)`
    await sql.end()
    for (const name of ['Postgres', 'Redis', 'NATS']) {
      const { pid } = JSON.parse(readFileSync(join(tree.dataDir, 'engines.json'), 'utf8'))[name]
      process.kill(pid, 'SIGKILL')
      await until(`${name} is back`, () => run.stdout.includes(`"engine restarted","engine":"${name}"`))
    }
    expect(urlsOf(tree)).toEqual(urls)
    const again = postgres(urls['STUDENTS_URL'] ?? '', { max: 1 })
    expect(await again`select n from kept`).toEqual([{ n: 1 }])
    await again.end()
  })

  test('a worker that dies while messages wait, and what it had comes again', async () => {
    using tree = new Tree()
    await using run = await new Started(tree, { env: { IDLE_SECONDS: '1' } }).ready()
    const connection = await connect(natsOptions(urlsOf(tree)['EVENTS_URL'] ?? ''))
    expect(tree.events('students/enrol start')).toEqual([])
    await connection.jetstream().publish('changes.students', 'one')
    await until('it is handled', () => tree.events('message one').length >= 1)
    await connection.jetstream().publish('changes.students', 'die')
    await until('it is handled again', () => tree.events('message die').length >= 2)
    await until(
      'it is idle',
      () => !run.processes.some((pid) => readEnvironment(pid).includes('FUNCTION=students/enrol')),
    )
    await connection.jetstream().publish('changes.students', 'three')
    await until('another handles it', () => tree.events('message three').length >= 1)
    await connection.close()
  })

  test('the sweepers run a while after a death', async () => {
    using tree = new Tree()
    await using run = await new Started(tree).ready()
    const { pid } = (await (await run.fetch('/api/students/1')).json()) as { pid: number }
    const sweeps = (): number => tree.events('students/sweep start').length
    await until('it has swept', () => sweeps() === 1)
    kill(pid)
    await until('it sweeps again', () => sweeps() === 2)
  })

  test('a function that cannot start is 503', async () => {
    using tree = new Tree()
    await using run = await new Started(tree, { env: { NODE_TEST_FAIL_START: 'students/get' } }).ready()
    const response = await run.fetch('/api/students/1')
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await response.json()).toMatchObject({ code: 'unavailable' })
    await until('it is told why', () => run.stderr.includes('this function cannot start'))
  })
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

function readEnvironment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}
