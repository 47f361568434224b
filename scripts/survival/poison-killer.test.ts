import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { aCourse, aStudent } from '../../shared/testing/enrolment-world.ts'
import { overBothAdapters } from './testing/adapters.ts'
import { expectLink, given, openStage, type Stage } from './testing/stage.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

const [stream, consumer] = ['CourseModified', 'students-enrol'] as const
const mark = 'kills-its-worker'
/** Instead of 20: each death is a process. */
const deliveries = 3

await overBothAdapters('a message kills its worker each time', (courses) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage({ courses })
    const manager = await (await stage.world.broker.jetstream()).jetstreamManager()
    await manager.consumers.update(stream, consumer, { max_deliver: deliveries, ack_wait: 1e9 })
  })
  afterAll(() => stage[Symbol.asyncDispose]())

  it('until its deliveries are used up: then the sweeper buries it, and what came after it goes on', async () => {
    const { world, functions } = stage
    const jetstream = await world.broker.jetstream()
    await jetstream.publish('course.modified', Buffer.from(mark))
    for (let death = 1; death <= deliveries; death++) {
      expect(await functions.run('students/enrol', { dieAt: `message:${mark}` })).toBe('SIGKILL')
      const manager = await jetstream.jetstreamManager()
      expect((await manager.consumers.info(stream, consumer)).delivered.consumer_seq).toBe(death)
    }
    // One more finds nothing to die of.
    const student = await world.students.create(aStudent())
    const course = await world.courses.create(aCourse([student.id]))
    await using fanOut = functions.start('courses/fan-out')
    await using worker = functions.start('students/enrol', { dieAt: `message:${mark}` })
    await Promise.all([fanOut.ready, worker.ready])
    await vi.waitFor(() => expectLink(world, student.id, course.id, { present: true }), {
      timeout: 60_000,
      interval: 200,
    })
    await vi.waitFor(
      async () => {
        expect(await functions.run('students/sweep')).toBe(0)
        expect(await given(world, 'DeadLetter')).toBe(1)
      },
      { timeout: 120_000, interval: 1000 },
    )
    const manager = await jetstream.jetstreamManager()
    const letter = await manager.streams.getMessage('DeadLetter', { seq: 1 })
    expect([letter.subject, Buffer.from(letter.data).toString()]).toEqual([`dead_letter.${consumer}`, mark])
    expect(letter.header.get('Registrar-Reason')).toMatch(/died or hung on each of 3 deliveries/)
    expect((await manager.streams.info(stream)).state.messages).toBe(0)
  })
})
