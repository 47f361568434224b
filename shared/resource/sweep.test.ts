import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresCourses } from '../../functions/courses/adapters/postgres-courses.ts'
import { postgresStudents } from '../../functions/students/adapters/postgres-students.ts'
import { students } from '../../functions/students/student-resource.ts'
import { NatsClient } from '../adapters/nats-client.ts'
import { NatsStreams } from '../adapters/nats-streams.ts'
import { PostgresClient } from '../adapters/postgres-client.ts'
import { PostgresOutbox } from '../adapters/postgres-outbox.ts'
import { PostgresRepository } from '../adapters/postgres-repository.ts'
import type { Register } from '../enrolment/register.ts'
import consumers from '../generated/consumers.json' with { type: 'json' }
import { type TestDatabase, testDatabase } from '../testing/database.ts'
import { natsUrl, redisUrl } from '../testing/engines.ts'
import { courseSubject } from '../testing/repository-contract/course-subject.ts'
import { World } from '../testing/repository-contract/world.ts'

const day = 24 * 60 * 60 * 1000

let database: TestDatabase
let client: PostgresClient

beforeAll(async () => {
  database = await testDatabase()
  client = new PostgresClient({ url: database.url })
  await using streams = new NatsStreams({ url: natsUrl(), name: 'test', consumers, maxAckPending: 64 })
  for (const step of await streams.plan()) await step.apply()
})

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

/** One run of the function as its CronJob starts it; gives what its log line has. */
async function run(name: string): Promise<unknown> {
  const main = fileURLToPath(new URL('../hosts/main.ts', import.meta.url))
  const env = {
    PATH: process.env['PATH'] ?? '',
    STUDENTS_URL: database.url,
    COURSES_URL: database.url,
    CACHE_URL: redisUrl(),
    EVENTS_URL: natsUrl(),
  }
  const { stdout } = await promisify(execFile)(process.execPath, [main, name], { env })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
}

async function messages(): Promise<number> {
  await using broker = new NatsClient({ url: natsUrl(), name: 'test' })
  const manager = await (await broker.jetstream()).jetstreamManager()
  const all = await Promise.all(
    consumers.map(async ({ stream }) => (await manager.streams.info(stream)).state.last_seq),
  )
  return all.reduce((sum, count) => sum + count, 0)
}

const studentSubject = {
  side: 'S',
  newId: students.newId,
  newOther: courseSubject.newId,
  fields: () => ({ name: `Name ${randomUUID()}`, first_name: 'First', last_name: 'Last' }),
  texts: ['name', 'first_name'],
} as const

const times = { age: async () => {}, leftovers: async () => 0 }

describe('the sweeper', () => {
  it('collects the tombstones of students', async () => {
    const store = () => storeOf(new PostgresRepository(client, postgresStudents), 'students')
    await collects('students/sweep', new World({ ...studentSubject, ...times, open: store }, [await store()]))
  })

  it('collects the tombstones of courses', async () => {
    const store = () => storeOf(new PostgresRepository(client, postgresCourses), 'courses')
    await collects('courses/sweep', new World({ ...courseSubject, ...times, open: store }, [await store()]))
  })
})

async function storeOf<F extends object>(repository: PostgresRepository<F>, schema: string) {
  return { repository, outbox: new PostgresOutbox(client, schema), [Symbol.asyncDispose]: async () => {} }
}

async function collects<F extends object>(name: string, world: World<F>): Promise<void> {
  const { repository, subject } = world
  const ago = (days: number, rest: Pick<Register, 'present' | 'reason'>): Register => ({
    ...rest,
    ts: (Date.now() - days * day) * 1000,
    origin: 'C',
  })
  const id = await world.create()
  const kept: [string, Register][] = [
    [subject.newOther(), ago(31, { present: true })],
    [subject.newOther(), ago(29, { present: false })],
  ]
  const gone: [string, Register][] = [
    [subject.newOther(), ago(31, { present: false })],
    [subject.newOther(), ago(32, { present: false, reason: 'course_full' })],
  ]
  for (const [other, register] of [...kept, ...gone])
    await repository.change(id, world.linking(other, register))
  await world.drain()
  const seen = await repository.get(id)
  const told = await messages()

  expect(await run(name)).toMatchObject({ outcome: 'ok', collected: 2 })
  expect(await repository.links(id)).toEqual(new Map(kept))
  const floor = await repository.change(id, (current) => ({ result: current?.floor }))
  expect(floor).toBe(gone[0]?.[1].ts)
  expect(await repository.get(id)).toEqual(seen)
  expect(await messages()).toBe(told)
  expect(await run(name)).toMatchObject({ outcome: 'ok', collected: 0 })
}
