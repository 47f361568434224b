import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { RedisCache } from '../../shared/adapters/redis-cache.ts'
import { aCourse, aStudent } from '../../shared/testing/enrolment-world.ts'
import { EngineProxy } from '../chaos/servers/proxy.ts'
import { overBothAdapters } from './testing/adapters.ts'
import { post } from './testing/functions.ts'
import { expectLink, given, openStage, type Stage, sweep } from './testing/stage.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

const [stream, consumer] = ['StudentModified', 'courses-enrol'] as const

await overBothAdapters('what a server that is away does not change', (courses) => {
  let stage: Stage
  let stack: AsyncDisposableStack
  beforeEach(async () => {
    stack = new AsyncDisposableStack()
    stage = stack.use(await openStage({ courses }))
  })
  afterEach(() => stack.disposeAsync())

  it('NATS, killed: what is written meanwhile is told when it is back', async () => {
    const { world } = stage
    const [student, course] = [await world.students.create(aStudent()), await world.courses.create(aCourse())]
    let [wanting, offering] = ['', '']
    await world.bounceNats(async () => {
      wanting = (await world.students.create(aStudent([course.id]))).id
      offering = (await world.courses.create(aCourse([student.id]))).id
    })
    await sweep(world)
    await world.settle()
    await expectLink(world, wanting, course.id, { present: true })
    await expectLink(world, student.id, offering, { present: true })
  })

  it("the courses' database: its worker leaves the messages where they are, and none becomes a dead letter", async () => {
    const { world, functions } = stage
    const course = await world.courses.create(aCourse())
    const database = stack.use(await EngineProxy.to(world.variables['COURSES_URL'] ?? ''))
    const worker = functions.start('courses/enrol', { variables: { COURSES_URL: database.url } })
    const manager = await (await world.broker.jetstream()).jetstreamManager()
    const info = () => manager.consumers.info(stream, consumer)
    await vi.waitFor(async () => expect((await info()).num_waiting).toBeGreaterThan(0), { timeout: 60_000 })
    database.cut()
    const student = await world.students.create(aStudent([course.id]))
    await using fanOut = functions.start('students/fan-out')
    await fanOut.ready
    await vi.waitFor(async () => expect((await info()).delivered.consumer_seq).toBe(1), { timeout: 60_000 })
    // However long it lasts: it is not pulled again, so its deliveries are not used up, which would make it a dead letter.
    let waited = 0
    worker.process.stdout?.on('data', (chunk: Buffer) => {
      waited += chunk.toString().split('not pulling').length - 1
    })
    await vi.waitFor(() => expect(waited).toBeGreaterThanOrEqual(5), { timeout: 120_000 })
    expect((await info()).delivered.consumer_seq).toBe(1)
    database.release()
    await vi.waitFor(() => expectLink(world, student.id, course.id, { present: true }), {
      timeout: 120_000,
      interval: 500,
    })
    expect(await given(world, 'DeadLetter')).toBe(0)
    expect(await world.enrolments('students', student.id)).toMatchObject([{ state: 'confirmed' }])
  })

  it('Redis, for the worker that is told: what cannot be is taken back all the same', async () => {
    const { world, functions } = stage
    const redis = stack.use(await EngineProxy.to(world.variables['CACHE_URL'] ?? ''))
    redis.cut()
    const started = [
      functions.start('students/fan-out'),
      functions.start('courses/enrol', { variables: { CACHE_URL: redis.url } }),
      functions.start('students/enrol'),
    ]
    await Promise.all(started.map(({ ready }) => ready))
    const student = await world.students.create(aStudent(['f'.repeat(24)]))
    await vi.waitFor(
      async () =>
        expect(await world.enrolments('students', student.id)).toMatchObject([
          { state: 'rejected', reason: 'course_not_found' },
        ]),
      { timeout: 60_000, interval: 500 },
    )
  })

  it('Redis, for the worker that is told: enrolments go on, more of them than it may hold, and what is cached of before is forgotten later', async () => {
    const { world, functions } = stage
    const courses = await Promise.all(Array.from({ length: 5 }, () => world.courses.create(aCourse())))
    const ids = courses.map(({ id }) => id)
    const redis = stack.use(await EngineProxy.to(world.variables['CACHE_URL'] ?? ''))
    const started = [
      functions.start('students/fan-out'),
      functions.start('courses/enrol', { variables: { CACHE_URL: redis.url } }),
    ]
    await Promise.all(started.map(({ ready }) => ready))
    redis.cut()
    const readers = stack.use(new RedisCache({ url: world.variables['CACHE_URL'] ?? '', service: 'courses' }))
    const name = `id:${ids[0]}`
    const generation = await readers.generation(name)
    await readers.write(name, '', generation, 'before')
    const students = await Promise.all(Array.from({ length: 20 }, () => world.students.create(aStudent(ids))))
    // A consumer gives 64 that are not acknowledged; these are 100.
    const manager = await (await world.broker.jetstream()).jetstreamManager()
    await vi.waitFor(
      async () => {
        const { delivered, num_pending, num_ack_pending } = await manager.consumers.info(stream, consumer)
        expect([delivered.consumer_seq >= 100, num_pending, num_ack_pending]).toEqual([true, 0, 0])
      },
      { timeout: 120_000, interval: 500 },
    )
    for (const { id } of students)
      for (const course of ids) await expectLink(world, id, course, { present: true })
    expect(await readers.read(name, '')).toEqual({ generation, value: 'before' })
    redis.release()
    await vi.waitFor(async () => expect(await readers.read(name, '')).not.toHaveProperty('value'), {
      timeout: 120_000,
      interval: 500,
    })
    expect(await given(world, 'DeadLetter')).toBe(0)
  })

  it('Redis, for a writer alone: its write is answered, and what readers have of before it is forgotten later', async () => {
    const { world, functions } = stage
    const redis = stack.use(await EngineProxy.to(world.variables['CACHE_URL'] ?? ''))
    const readers = stack.use(new RedisCache({ url: world.variables['CACHE_URL'] ?? '', service: 'courses' }))
    const writer = functions.start('courses/create', { variables: { CACHE_URL: redis.url } })
    await writer.ready
    redis.cut()
    const student = randomUUID()
    const name = `by:${student}`
    const generation = await readers.generation(name)
    await readers.write(name, '', generation, 'before')
    let reply = await post(writer, '/api/courses', aCourse([student]))
    while (reply?.status === 503) reply = await post(writer, '/api/courses', aCourse([student]))
    expect(reply?.status).toBe(201)
    // The documented window: it could tell nobody.
    expect(await readers.read(name, '')).toEqual({ generation, value: 'before' })
    expect(await world.unsent()).toBeGreaterThan(0)
    await vi.waitFor(
      async () => {
        await functions.run('courses/sweep')
        expect(await readers.read(name, '')).not.toHaveProperty('value')
      },
      { timeout: 120_000, interval: 1000 },
    )
    await expect.poll(() => world.unsent()).toBe(0)
  })
})
