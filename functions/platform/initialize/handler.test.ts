import { readdir } from 'node:fs/promises'
import type { JetStreamManager } from 'nats'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EngineProxy } from '../../../scripts/chaos/servers/proxy.ts'
import { NatsClient } from '../../../shared/adapters/nats-client.ts'
import type { Variables } from '../../../shared/config.ts'
import consumers from '../../../shared/generated/consumers.json' with { type: 'json' }
import { advisories, deadLetter, streams } from '../../../shared/messages/streams.ts'
import { openPlatform } from '../../../shared/testing/http-conformance/platform.ts'
import { type Ended, initialize } from '../../../shared/testing/initialize.ts'

const stack = new AsyncDisposableStack()
let variables: Variables
let broker: JetStreamManager
let sql: postgres.Sql
beforeAll(async () => {
  const platform = stack.use(await openPlatform())
  variables = platform.variables
  const client = stack.use(new NatsClient({ url: variables['EVENTS_URL'] ?? '', name: 'test' }))
  broker = await (await client.connection()).jetstreamManager()
  sql = postgres(variables['STUDENTS_URL'] ?? '', { max: 1, onnotice: () => {} })
  stack.defer(() => sql.end())
})
afterAll(() => stack.disposeAsync())

const run = (...flags: string[]): Promise<Ended> => initialize(variables, ...flags)
const allStreams = [...Object.keys(streams), deadLetter.stream, advisories.stream]
const migrations = (schema: string): Promise<string[]> =>
  readdir(new URL(`../../${schema}/migrations/`, import.meta.url)).then((files) => files.toSorted())

/** Everything that an initializer makes, as it is: with the time of its making. */
async function everything() {
  const found = await Promise.all(allStreams.map((name) => broker.streams.info(name)))
  const durable = await Promise.all(allStreams.map((name) => broker.consumers.list(name).next()))
  const applied = await sql`select 'students' as schema, * from students.migrations
    union all select 'courses', * from courses.migrations order by 1, 2`
  return {
    streams: found.map(({ config, created, state: { messages } }) => ({ config, created, messages })),
    consumers: durable.flat().map(({ config, created }) => ({ config, created })),
    applied: [...applied],
  }
}

/** Runs with a difference that must be seen by name, is not ended by looking, and is by a run. */
async function expectMended(difference: RegExp): Promise<void> {
  for (const _ of [1, 2]) {
    const seen = await run('--check')
    expect([seen.code, seen.plan]).toEqual([2, [expect.stringMatching(difference)]])
    expect(seen.out).toMatch(/^1 differences$/m)
  }
  const mended = await run()
  expect([mended.code, mended.plan]).toEqual([0, [expect.stringMatching(difference)]])
  expect((await run('--check')).code).toBe(0)
}

describe('the initializer', () => {
  it('waits for a server that comes while it does, and says for which', async () => {
    await using nats = await EngineProxy.to(variables['EVENTS_URL'] ?? '')
    nats.cut()
    const away = { ...variables, EVENTS_URL: nats.url }
    const impatient = await initialize(away)
    expect([impatient.code, impatient.out]).toEqual([1, expect.stringContaining('"outcome":"unavailable"')])
    const waiting = initialize({ ...away, WAIT_SECONDS: '60' })
    setTimeout(() => nats.release(), 4000)
    const { code, out } = await waiting
    expect(code).toBe(0)
    expect(out.match(/^waiting: .*$/gm)).toEqual(['waiting: NATS is not available'])
  })

  it('makes everything out of nothing; with --check it only says so', async () => {
    for (const name of allStreams) await broker.streams.delete(name)
    await sql`drop schema students cascade`
    await sql`drop schema courses cascade`
    const wanted = [
      ...allStreams.map((name) => `stream ${name}: create`),
      ...consumers.flatMap(({ consumer }) => [
        `consumer ${consumer}: create`,
        `consumer ${consumer}-advisories: create`,
      ]),
      ...(await migrations('students')).map((file) => `schema students: apply ${file}`),
      ...(await migrations('courses')).map((file) => `schema courses: apply ${file}`),
    ]
    for (const _ of [1, 2]) {
      const checked = await run('--check')
      expect([checked.code, checked.plan]).toEqual([2, wanted])
      expect(checked.out).toContain(`\n${wanted.length} differences\n`)
    }
    expect(await broker.streams.names().next()).toEqual([])
    const made = await run()
    expect([made.code, made.plan]).toEqual([0, wanted])
  })

  it('run again changes nothing', async () => {
    const before = await everything()
    const checked = await run('--check')
    expect([checked.code, checked.plan]).toEqual([0, []])
    expect(checked.out).toMatch(/^in place: nothing differs$/m)
    const again = await run('--force')
    expect([again.code, again.plan]).toEqual([0, []])
    expect(again.out).toMatch(/^in place: nothing to do$/m)
    expect(await everything()).toEqual(before)
  })

  it.each([
    ['max_age', 1_000_000_000],
    ['max_msgs', 10],
    ['max_bytes', 1000],
    ['max_msg_size', 100],
    ['max_msgs_per_subject', 1],
    ['duplicate_window', 1_000_000_000],
  ])('sees a stream whose %s was narrowed', async (setting, value) => {
    const { config } = await broker.streams.info('StudentModified')
    // A window may not be longer than messages live.
    const window = setting === 'max_age' ? { duplicate_window: value } : {}
    await broker.streams.update('StudentModified', { ...config, ...window, [setting]: value })
    await expectMended(new RegExp(`^stream StudentModified: change .*${setting} from ${value} to -?\\d+`))
  })

  it('sees a consumer that is missing or another', async () => {
    await broker.consumers.delete('CourseModified', 'students-enrol')
    await expectMended(/^consumer students-enrol: create$/)
    const other = { max_ack_pending: 7, max_deliver: 2 }
    await broker.consumers.update('CourseModified', 'students-enrol', other)
    await expectMended(
      /^consumer students-enrol: change max_deliver from 2 to 20, max_ack_pending from 7 to 64$/,
    )
    await broker.consumers.delete(advisories.stream, 'students-enrol-advisories')
    await expectMended(/^consumer students-enrol-advisories: create$/)
  })

  it('gives consumers the MAX_ACK_PENDING that it is told', async () => {
    const told = { ...variables, MAX_ACK_PENDING: '1' }
    const { code, plan } = await initialize(told)
    expect([code, plan.length]).toEqual([0, consumers.length])
    for (const { stream, consumer } of consumers)
      expect((await broker.consumers.info(stream, consumer)).config.max_ack_pending).toBe(1)
    expect((await run()).plan).toEqual(
      consumers.map(({ consumer }) => `consumer ${consumer}: change max_ack_pending from 1 to 64`),
    )
  })

  it('plans for as many servers as STREAM_REPLICAS says, for every stream', async () => {
    const planned = allStreams.map((name) => `stream ${name}: change num_replicas from 1 to 3`)
    const { code, plan } = await initialize({ ...variables, STREAM_REPLICAS: '3' }, '--check')
    expect([code, plan]).toEqual([2, planned])
    // The test's NATS is one server: a wrong number stops the start before anything is planned.
    const refused = await initialize({ ...variables, STREAM_REPLICAS: '0' })
    expect([refused.code, refused.plan]).toEqual([1, []])
    expect(refused.err).toContain('STREAM_REPLICAS is not a whole number from 1 to 5')
    expect((await run('--check')).code).toBe(0)
  })

  it('sees a migration that is missing, and refuses one that was changed since', async () => {
    await sql`drop schema courses cascade`
    const files = await migrations('courses')
    const seen = await run('--check')
    expect([seen.code, seen.plan]).toEqual([2, files.map((file) => `schema courses: apply ${file}`)])
    expect((await run()).code).toBe(0)
    await sql`update courses.migrations set checksum = 'x' || checksum where version = 1`
    const refused = await run()
    expect([refused.code, refused.plan]).toEqual([1, []])
    expect(refused.out + refused.err).toContain(`migration ${files[0]} of schema courses was changed`)
    await sql`update courses.migrations set checksum = substr(checksum, 2) where version = 1`
    expect((await run('--check')).code).toBe(0)
  })

  it('narrows nothing without --force, does nothing else either, and says so', async () => {
    const { config } = await broker.streams.info(deadLetter.stream)
    const wider = { max_age: 2 * config.max_age, subjects: [...config.subjects, 'dead_theirs'] }
    await broker.streams.update(deadLetter.stream, { ...config, ...wider })
    await broker.consumers.delete('CourseModified', 'students-enrol')
    const before = await everything()
    const planned = [
      expect.stringMatching(
        /^stream DeadLetter: change max_age from .* subjects from .*dead_theirs.* \(may lose data\)$/,
      ),
      'consumer students-enrol: create',
    ]
    const checked = await run('--check')
    expect([checked.code, checked.plan]).toEqual([2, planned])
    const refused = await run()
    expect([refused.code, refused.plan]).toEqual([3, planned])
    expect(refused.err).toContain('1 of these may lose data: nothing was applied; --force applies them')
    expect(await everything()).toEqual(before)
    expect((await run('--force')).code).toBe(0)
    expect((await broker.streams.info(deadLetter.stream)).config).toEqual(config)
    expect((await run('--check')).code).toBe(0)
  })

  it('leaves alone what is not its own', async () => {
    await broker.streams.add({ name: 'Theirs', subjects: ['theirs'] })
    await broker.consumers.add(deadLetter.stream, { durable_name: 'theirs' })
    await sql`create table students.theirs (id int)`
    const forced = await run('--force')
    expect([forced.code, forced.plan]).toEqual([0, []])
    expect((await broker.streams.info('Theirs')).config.subjects).toEqual(['theirs'])
    await broker.consumers.info(deadLetter.stream, 'theirs')
    await sql`select from students.theirs`
  })
})
