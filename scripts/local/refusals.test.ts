import { createServer } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { natsUrl, postgresUrl, redisUrl } from '../../shared/testing/engines.ts'
import { nothingLeft, Started, type StartOptions, serversOf, Tree, until } from './testing/fixture.ts'

vi.setConfig({ testTimeout: 240_000 })

/** A start that is not to come to anything. */
async function refused(tree: Tree, options: StartOptions): Promise<{ code: number | null; stderr: string }> {
  const run = new Started(tree, options)
  const code = await run.exited
  return { code, stderr: run.stderr }
}

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
    const wrong = Object.entries(serversOf(tree)).map(([name, url]) => [
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
