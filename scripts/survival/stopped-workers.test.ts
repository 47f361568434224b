import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { aCourse, aStudent } from '../../shared/testing/enrolment-world.ts'
import { EngineProxy } from '../chaos/servers/proxy.ts'
import { overBothAdapters } from './testing/adapters.ts'
import { expectLink, given, openStage, type Stage } from './testing/stage.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

const [stream, consumer] = ['StudentModified', 'courses-enrol'] as const
/** So long that a test which waits for it fails, in nanoseconds. */
const ackWait = 30 * 60 * 1e9

const until = (holds: () => Promise<void>): Promise<void> =>
  vi.waitFor(holds, { timeout: 60_000, interval: 10 })

await overBothAdapters('a worker is told to stop', (courses) => {
  let stage: Stage
  let stack: AsyncDisposableStack
  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    stage = stack.use(await openStage({ courses, maxAckPending: 16 }))
    const manager = await (await stage.world.broker.jetstream()).jetstreamManager()
    await manager.consumers.update(stream, consumer, { ack_wait: ackWait })
  })
  afterAll(() => stack.disposeAsync())

  interface Links {
    readonly students: readonly string[]
    readonly course: string
  }

  /** Students of one course, whose links nobody told the courses' worker yet. */
  async function linked(count: number): Promise<Links> {
    const { world } = stage
    const course = (await world.courses.create(aCourse())).id
    const students: string[] = []
    for (let i = 0; i < count; i++) {
      const { id } = await world.students.create(aStudent())
      students.push(id)
      await world.students.link(id, [course])
    }
    return { students, course }
  }

  const info = async () => {
    const manager = await (await stage.world.broker.jetstream()).jetstreamManager()
    return manager.consumers.info(stream, consumer)
  }

  async function expectAll({ students, course }: Links): Promise<void> {
    const { world } = stage
    await world.settle()
    for (const student of students) await expectLink(world, student, course, { present: true })
  }

  it('while messages are on their way to it, under way in it, and answered: none waits for its ack_wait', async () => {
    const { world, functions } = stage
    const all = await linked(60)
    await using fanOut = functions.start('students/fan-out')
    await fanOut.ready
    await until(async () => expect((await info()).num_pending).toBe(60))
    const nats = stack.use(await EngineProxy.to(world.natsUrl))
    // Whatever the broker sends is on its way for a while.
    nats.delay(250)
    const worker = functions.start('courses/enrol', {
      variables: { EVENTS_URL: nats.url, MAX_ACK_PENDING: '16' },
    })
    let before = 0
    await until(async () => {
      const { ack_floor, delivered } = await info()
      // It has answered some, and others left the broker since the last look.
      const isBusy = ack_floor.consumer_seq > 0 && before > 0 && delivered.consumer_seq > before
      before = delivered.consumer_seq
      expect(isBusy).toBe(true)
    })
    worker.process.kill('SIGTERM')
    expect(await worker.exited).toBe(0)
    // It was in the middle of them.
    expect((await info()).num_pending).toBeGreaterThan(0)
    await expectAll(all)
  })

  it('while its database does not answer: what it holds is given back', async () => {
    const { world, functions } = stage
    const all = await linked(8)
    const database = stack.use(await EngineProxy.to(world.variables['COURSES_URL'] ?? ''))
    const worker = functions.start('courses/enrol', {
      variables: { COURSES_URL: database.url, MAX_ACK_PENDING: '16' },
    })
    // Found healthy, it pulls.
    await until(async () => expect((await info()).num_waiting).toBeGreaterThan(0))
    database.delay(60_000)
    await using fanOut = functions.start('students/fan-out')
    await fanOut.ready
    await until(async () => expect((await info()).num_ack_pending).toBe(8))
    worker.process.kill('SIGTERM')
    expect(await worker.exited).toBe(0)
    database.cut()
    await expectAll(all)
    expect(await given(world, 'DeadLetter')).toBe(0)
  })
})
