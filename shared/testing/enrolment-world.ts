import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
import { PostgresOutbox } from '../adapters/postgres-outbox.ts'
import { PostgresRepository } from '../adapters/postgres-repository.ts'
import { RedisCache } from '../adapters/redis-cache.ts'
import { type EnrolmentState, enrolmentStates } from '../enrolment/state.ts'
import consumers from '../generated/consumers.json' with { type: 'json' }
import { work } from '../hosts/worker.ts'
import type { Handler, HandlerInput } from '../http/call.ts'
import { creating, deleting, replacing } from '../resource/commands.ts'
import { enrolWorker, fanOutWorker } from '../resource/enrol.ts'
import type { Events } from '../resource/events.ts'
import type { Repository } from '../resource/ports.ts'
import { Relay, relayed } from '../resource/relay.ts'
import type { Resource } from '../resource/resource.ts'
import type { WorkerHandler } from '../worker/handler.ts'
import { testDatabase } from './database.ts'
import { redisUrl } from './engines.ts'

export interface Side<V> {
  readonly repository: Repository<object>
  readonly relay: Relay
  readonly fanOut: WorkerHandler
  readonly enrol: WorkerHandler
  create(fields: object): Promise<V>
  /** Replaces the links of one, as a PUT of its current fields with these ids. */
  link(id: string, members: readonly string[], ifMatch?: string): Promise<void>
  remove(id: string): Promise<void>
  members(id: string): Promise<readonly string[] | undefined>
}

/** Both sides over real engines, with a NATS server of their own, in one process. */
export interface World extends AsyncDisposable {
  readonly students: Side<Student>
  readonly courses: Side<Course>
  /** Kills the broker and starts it again, on its port and with its store. */
  bounceNats(whileDown: () => Promise<void>): Promise<void>
  readonly broker: NatsClient
  readonly natsUrl: string
  readonly events: Events
  /** Pulls with all four workers until the signal is aborted; resolves when they have ended. */
  run(signal: AbortSignal): Promise<void>
  /** Runs the workers until nothing is under way, outboxes included. */
  settle(): Promise<void>
  enrolments(side: 'students' | 'courses', id: string): Promise<EnrolmentState[]>
}

const context = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` }

export async function enrolmentWorld(maxAckPending = 64): Promise<World> {
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
  const streams = stack.use(new NatsStreams({ url: nats.url, name: 'test', consumers, maxAckPending }))
  for (const step of await streams.plan()) await step.apply()
  const client = stack.use(new PostgresClient({ url: database.url }))
  const events = stack.use(new NatsEvents({ url: nats.url, name: 'test' }))

  function side<F extends object, V extends object>(
    resource: Resource<F, V>,
    mapping: ConstructorParameters<typeof PostgresRepository<F>>[1],
  ): Side<V> {
    const cache = stack.use(
      new RedisCache({ url: redisUrl(), service: `${resource.service}-${randomBytes(4).toString('hex')}` }),
    )
    const repository = new PostgresRepository<F>(client, mapping)
    const outbox = new PostgresOutbox(client, mapping.schema)
    const relay = stack.use(new Relay({ side: resource.side, outbox, cache, events }))
    const writer = relayed(repository, relay)
    const call = async (handler: Handler, input: Partial<HandlerInput>): Promise<unknown> => {
      const whole = {
        params: {},
        query: {},
        body: {},
        ifMatch: undefined,
        idempotencyKey: undefined,
        consumer: 'test',
      }
      return (await handler({ ...whole, ...input }, context)).body
    }
    return {
      repository: repository as unknown as Repository<object>,
      relay,
      fanOut: { ...fanOutWorker(resource, events), sweep: () => relay.sweep() },
      enrol: { ...enrolWorker(resource, { writer, cache, events }), sweep: () => relay.sweep() },
      create: async (body) => ((await call(creating(resource, writer), { body })) as { data: V }).data,
      link: async (id, members, ifMatch) => {
        const { fields } = (await repository.get(id)) ?? {}
        const body = { ...fields, [resource.linkField]: members }
        await call(replacing(resource, writer), { params: { id }, body, ifMatch })
      },
      remove: async (id) => void (await call(deleting(resource, writer), { params: { id } })),
      members: async (id) => (await repository.get(id))?.members,
    }
  }

  const students = side(studentResource, postgresStudents)
  const courses = side(courseResource, postgresCourses)
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
    async bounceNats(whileDown) {
      await nats.stop('SIGKILL')
      await whileDown()
      nats = await start(nats.port)
    },
    async run(signal) {
      await Promise.all(
        consumers.map(async ({ stream, consumer }) => {
          const handler = workers[consumer]
          if (!handler) throw new Error(`no worker for ${consumer}`)
          await using inbox = new NatsInbox({ url: nats.url, name: consumer, stream, consumer })
          await work(consumer, inbox, handler, maxAckPending, signal)
        }),
      )
    },
    async settle() {
      const stop = new AbortController()
      const running = world.run(stop.signal)
      await quiet(nats.url, client)
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
async function quiet(url: string, client: PostgresClient): Promise<void> {
  await using broker = new NatsClient({ url, name: 'quiet' })
  const manager = await (await broker.jetstream()).jetstreamManager()
  for (let calm = 0; calm < 3; ) {
    const counts = await Promise.all(
      [...new Set(consumers.map(({ stream }) => stream))].map(
        async (stream) => (await manager.streams.info(stream)).state.messages,
      ),
    )
    const [unsent] = await client.run(
      (sql) =>
        sql<{ count: number }[]>`select (select count(*) from students.outbox where sent_at is null)
        + (select count(*) from courses.outbox where sent_at is null) as count`,
    )
    const left = counts.reduce((sum, count) => sum + count, 0) + (unsent?.count ?? 0)
    calm = left === 0 ? calm + 1 : 0
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
