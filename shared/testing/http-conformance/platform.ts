import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mongoCourses } from '../../../functions/courses/adapters/mongo-courses.ts'
import type { RunningEngine } from '../../../scripts/engines/engine.ts'
import { startNats } from '../../../scripts/engines/nats.ts'
import { startRedis } from '../../../scripts/engines/redis.ts'
import { Guardian } from '../../../scripts/local/guardian.ts'
import { MongoIndexes } from '../../adapters/mongo-indexes.ts'
import { NatsStreams } from '../../adapters/nats-streams.ts'
import type { Variables } from '../../config.ts'
import consumers from '../../generated/consumers.json' with { type: 'json' }
import { testDatabase } from '../database.ts'
import { type TestMongo, testMongo } from '../mongo.ts'
import { Wire } from '../wire.ts'

/** Servers that nobody else uses, and the environment that names them. */
export interface Platform extends AsyncDisposable {
  readonly variables: Variables
  readonly redis: RunningEngine
  /** The way to Postgres. */
  readonly postgres: Wire
}

/** Courses lie in the same Postgres as the students, or on a server of MongoDB's protocol. */
export async function openPlatform(courses: 'postgres' | 'mongo' = 'postgres'): Promise<Platform> {
  // Of an opening that fails halfway nothing is left either.
  await using opening = new AsyncDisposableStack()
  const parts = await open(courses, opening)
  const stack = opening.move()
  return { ...parts, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

async function open(
  courses: 'postgres' | 'mongo',
  stack: AsyncDisposableStack,
): Promise<Omit<Platform, keyof AsyncDisposable>> {
  const dir = await mkdtemp(join(tmpdir(), 'registrar-http-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const guardian = stack.use(new Guardian())
  const options = (name: string) => ({
    dir: join(dir, name),
    password: 'test',
    env: guardian.mark,
    onSpawn: guardian.watch.bind(guardian),
  })
  const owned = async <T extends AsyncDisposable>(opened: Promise<T>): Promise<T> => stack.use(await opened)
  const database = await owned(testDatabase())
  const redis = await owned(startRedis(options('redis')))
  const nats = await owned(startNats(options('nats')))
  await using streams = new NatsStreams({ url: nats.url, name: 'test', consumers, maxAckPending: 64 })
  for (const step of await streams.plan()) await step.apply()
  const postgres = stack.use(await Wire.to(database.url))
  const variables = {
    STUDENTS_URL: postgres.url,
    COURSES_URL: courses === 'mongo' ? (await mongoWithIndexes(stack)).url : postgres.url,
    CACHE_URL: redis.url,
    EVENTS_URL: nats.url,
    // Nobody listens there.
    STUDENTS_BY_COURSE_URL: 'http://127.0.0.1:9',
    COURSES_BY_STUDENT_URL: 'http://127.0.0.1:9',
  }
  return { variables, redis, postgres }
}

async function mongoWithIndexes(stack: AsyncDisposableStack): Promise<TestMongo> {
  const mongo = stack.use(await testMongo())
  for (const step of await new MongoIndexes({ url: mongo.url, mapping: mongoCourses }).plan())
    await step.apply()
  return mongo
}
