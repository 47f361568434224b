import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { mongoCourses } from '../../functions/courses/adapters/mongo-courses.ts'
import { postgresCourses } from '../../functions/courses/adapters/postgres-courses.ts'
import { courses as courseResource } from '../../functions/courses/course-resource.ts'
import type { Course } from '../../functions/courses/domain/course.ts'
import { postgresStudents } from '../../functions/students/adapters/postgres-students.ts'
import type { Student } from '../../functions/students/domain/student.ts'
import { students as studentResource } from '../../functions/students/student-resource.ts'
import type { RunningEngine } from '../../scripts/engines/engine.ts'
import { startNats } from '../../scripts/engines/nats.ts'
import { Guardian } from '../../scripts/local/guardian.ts'
import { NatsClient } from '../adapters/nats-client.ts'
import { NatsEvents } from '../adapters/nats-events.ts'
import { NatsInbox } from '../adapters/nats-inbox.ts'
import { NatsStreams } from '../adapters/nats-streams.ts'
import { PostgresClient } from '../adapters/postgres-client.ts'
import type { Variables } from '../config.ts'
import { type EnrolmentState, enrolmentStates } from '../enrolment/state.ts'
import { Failure } from '../errors.ts'
import consumers from '../generated/consumers.json' with { type: 'json' }
import { sweeping, work } from '../hosts/worker.ts'
import type { Events } from '../resource/events.ts'
import type { WorkerHandler } from '../worker/handler.ts'
import type { Inbox } from '../worker/inbox.ts'
import { testDatabase } from './database.ts'
import { redisUrl } from './engines.ts'
import { openSide, type Side } from './enrolment-side.ts'
import { inMongo, inPostgres } from './enrolment-stores.ts'

/** Both sides over real engines, with a NATS server of their own, in one process. */
export interface World extends AsyncDisposable {
  readonly students: Side<Student>
  readonly courses: Side<Course>
  /** Kills the broker and starts it again, on its port and with its store. */
  bounceNats(whileDown: () => Promise<void>): Promise<void>
  /** Kills the broker and starts it again without its store, as the initializer then leaves it. */
  wipeNats(): Promise<void>
  readonly broker: NatsClient
  readonly natsUrl: string
  readonly events: Events
  /** The environment of a function that shall run on these engines. */
  readonly variables: Variables
  /** Pulls with all four workers until the signal is aborted; resolves when they have ended. */
  run(signal: AbortSignal): Promise<void>
  /** How many entries the outboxes have that are not known to be told. */
  unsent(): Promise<number>
  /** Runs the workers until nothing is under way, outboxes included. */
  settle(): Promise<void>
  enrolments(side: 'students' | 'courses', id: string): Promise<EnrolmentState[]>
}

export interface WorldOptions {
  /** Where the courses lie; in Postgres unless told. */
  readonly courses?: 'postgres' | 'mongo'
  readonly maxAckPending?: number
  /** How many workers pull from each consumer. */
  readonly workers?: number
  /** Stands between a consumer and each of its workers. */
  readonly watch?: (consumer: string, inbox: Inbox) => Inbox
  /** How far the students' clock is ahead of the courses', in milliseconds. */
  readonly skew?: number
}

export async function enrolmentWorld(options: WorldOptions = {}): Promise<World> {
  const { maxAckPending = 64, workers: each = 1, watch = (_, inbox) => inbox, skew = 0 } = options
  const { courses: where = 'postgres' } = options
  const stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'registrar-world-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const guardian = stack.use(new Guardian())
  const start = (port?: number): Promise<RunningEngine> =>
    startNats({
      dir,
      password: 'test',
      ...(port === undefined ? {} : { port }),
      env: guardian.mark,
      onSpawn: (child, stop) => guardian.watch(child, stop),
    })
  let nats = await start()
  stack.defer(() => nats[Symbol.asyncDispose]())
  const database = stack.use(await testDatabase())
  const provision = async (): Promise<void> => {
    await using streams = new NatsStreams({ url: nats.url, name: 'test', consumers, maxAckPending })
    for (const step of await streams.plan()) await step.apply()
  }
  await provision()
  const client = stack.use(new PostgresClient({ url: database.url }))
  const events = stack.use(new NatsEvents({ url: nats.url, name: 'test' }))

  const parts = { events, stack }
  const stores = {
    students: inPostgres(client, postgresStudents),
    courses: where === 'mongo' ? await inMongo(mongoCourses, stack) : inPostgres(client, postgresCourses),
  }
  const students = openSide(studentResource, stores.students, { ...parts, skew })
  const courses = openSide(courseResource, stores.courses, { ...parts, skew: 0 })
  const unsent = async (): Promise<number> => {
    const counts = await Promise.all([stores.students.unsent(), stores.courses.unsent()])
    return counts.reduce((sum, count) => sum + count, 0)
  }
  const workers: Record<string, WorkerHandler> = {
    'students-fan-out': students.fanOut,
    'students-enrol': students.enrol,
    'courses-fan-out': courses.fanOut,
    'courses-enrol': courses.enrol,
  }

  const world: World = {
    students,
    courses,
    natsUrl: nats.url,
    broker: stack.use(new NatsClient({ url: nats.url, name: 'test' })),
    events,
    variables: {
      STUDENTS_URL: database.url,
      COURSES_URL: stores.courses.url ?? database.url,
      CACHE_URL: redisUrl(),
      EVENTS_URL: nats.url,
    },
    async bounceNats(whileDown) {
      await nats.stop('SIGKILL')
      await whileDown()
      nats = await start(nats.port)
    },
    async wipeNats() {
      await nats.stop('SIGKILL')
      await rm(join(dir, 'store'), { recursive: true })
      nats = await start(nats.port)
      await provision()
    },
    async run(signal) {
      const all = consumers.flatMap((one) => Array.from({ length: each }, () => one))
      await Promise.all(
        all.map(async ({ stream, consumer }) => {
          const handler = workers[consumer]
          if (!handler) throw new Error(`no worker for ${consumer}`)
          await using inbox = new NatsInbox({ url: nats.url, name: consumer, stream, consumer })
          await Promise.all([
            work(consumer, watch(consumer, inbox), handler, maxAckPending, signal),
            sweeping(consumer, handler, signal),
          ])
        }),
      )
    },
    unsent,
    async settle() {
      const stop = new AbortController()
      const running = world.run(stop.signal)
      await quiet(nats.url, unsent)
      stop.abort()
      await running
    },
    async enrolments(own, id) {
      const [here, there] = own === 'students' ? [students, courses] : [courses, students]
      const links = await here.repository.links(id)
      const others = (await there.repository.membersOf([id])).get(id) ?? []
      return enrolmentStates(links ?? new Map(), new Set(others.map((other) => other.id)))
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
  return world
}

/** Waits until no message is in a stream of the protocol and every outbox entry is settled. */
async function quiet(url: string, unsent: () => Promise<number>): Promise<void> {
  await using broker = new NatsClient({ url, name: 'quiet' })
  const manager = await (await broker.jetstream()).jetstreamManager()
  const streams = [...new Set(consumers.map(({ stream }) => stream))]
  for (let calm = 0; calm < 3; ) {
    // On a busy machine a server may not answer in time: then it is not quiet.
    const counts = await Promise.all([
      ...streams.map(async (stream) => (await manager.streams.info(stream)).state.messages),
      unsent(),
    ]).catch(() => [1])
    calm = counts.every((count) => count === 0) ? calm + 1 : 0
    await sleep(30)
  }
}

let counter = 0

/** Fields of a student that no other has. */
export function aStudent(courseIds: readonly string[] = []): object {
  return {
    name: `N${++counter}-${randomBytes(3).toString('hex')}`,
    first_name: 'First',
    last_name: 'Last',
    course_ids: courseIds,
  }
}

export function aCourse(studentIds: readonly string[] = []): object {
  return {
    name: `C${++counter}-${randomBytes(3).toString('hex')}`,
    discipline: 'Maths',
    teacher: 'Teacher',
    description: 'A course',
    kind: 'in_class',
    attributes: {},
    student_ids: studentIds,
  }
}

/**
 * Writes of both sides about each other, one at a time for each: who waits long behind others is refused, and tries again
 * as a client would.
 */
export async function crossWrites(
  { students, courses }: World,
  some: readonly { readonly id: string }[],
  others: readonly { readonly id: string }[],
  rounds: number,
): Promise<void> {
  const half = (list: typeof some, i: number): string[] =>
    list.filter((_, j) => (i * 7 + j * 3) % 5 < 2).map(({ id }) => id)
  for (let round = 0; round < rounds; round++) {
    await Promise.all([
      ...some.map(({ id }, i) => insisting(() => students.link(id, half(others, round + i)))),
      ...others.map(({ id }, i) => insisting(() => courses.link(id, half(some, round + 3 * i)))),
    ])
  }
}

/** Tries a write again that is refused because too much is under way, as a client would. */
export async function insisting<T>(write: () => Promise<T>): Promise<T> {
  for (let left = 20; ; left--) {
    try {
      return await write()
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'unavailable') || left === 0) throw error
      await sleep(500)
    }
  }
}
