import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { NatsExhausted } from '../adapters/nats-exhausted.ts'
import { NatsInbox } from '../adapters/nats-inbox.ts'
import { deadLetter } from '../messages/streams.ts'
import { metrics } from '../metrics.ts'
import { aCourse, aStudent, enrolmentWorld, type World } from '../testing/enrolment-world.ts'

let world: World

beforeAll(async () => {
  world = await enrolmentWorld()
})

afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

/** What lies in the dead letter stream: reason, subject, payload. */
async function deadLetters(): Promise<{ reason: string | undefined; subject: string; text: string }[]> {
  const manager = await (await world.broker.jetstream()).jetstreamManager()
  const { state } = await manager.streams.info(deadLetter.stream)
  const found = []
  for (let seq = state.first_seq; seq > 0 && seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage(deadLetter.stream, { seq })
    found.push({
      reason: message.header.get('Registrar-Reason'),
      subject: message.subject,
      text: Buffer.from(message.data).toString(),
    })
  }
  return found
}

test('a worker that dies between its effect and the acknowledgement does no harm: the message comes again in 5 s', async () => {
  const { students, courses } = world
  const course = await courses.create(aCourse())
  const student = await students.create(aStudent([course.id]))
  const stop = new AbortController()
  await using fanOut = new NatsInbox({
    url: world.natsUrl,
    name: 'dies',
    stream: 'StudentToModify',
    consumer: 'students-fan-out',
  })
  for await (const delivery of fanOut.messages(1, stop.signal)) {
    await students.fanOut.handle(delivery.payload, { traceparent: delivery.traceparent ?? '' })
    await delivery.acknowledge()
    stop.abort()
  }
  const dying = new AbortController()
  await using inbox = new NatsInbox({
    url: world.natsUrl,
    name: 'dies',
    stream: 'StudentModified',
    consumer: 'courses-enrol',
  })
  for await (const delivery of inbox.messages(1, dying.signal)) {
    await courses.enrol.handle(delivery.payload, { traceparent: '' })
    dying.abort() // Never settled.
  }
  expect(await courses.members(course.id)).toEqual([student.id])
  const again = new AbortController()
  await using other = new NatsInbox({
    url: world.natsUrl,
    name: 'lives',
    stream: 'StudentModified',
    consumer: 'courses-enrol',
  })
  for await (const delivery of other.messages(1, again.signal)) {
    expect(delivery.deliveries).toBe(2)
    expect(await courses.enrol.handle(delivery.payload, { traceparent: '' })).toBe('dropped')
    await delivery.acknowledge()
    again.abort()
  }
  // The clock of the broker: ours would measure how busy this machine is.
  const manager = await (await world.broker.jetstream()).jetstreamManager()
  const { config } = await manager.consumers.info('StudentModified', 'courses-enrol')
  expect(config.ack_wait).toBeLessThan(5e9)
  await world.settle()
  expect(await courses.members(course.id)).toEqual([student.id])
  expect((await courses.repository.get(course.id))?.version).toBe(2)
})

test('what no worker can read goes to the dead letter at once, as it was, with the reason', async () => {
  const jetstream = await world.broker.jetstream()
  const before = (await deadLetters()).length
  await jetstream.publish('student.modified', Buffer.from('poison'))
  await jetstream.publish('student.to_modify', Buffer.from('poison too'))
  await world.settle()
  const found = (await deadLetters()).slice(before)
  expect(found.map(({ subject, text }) => `${subject} ${text}`).sort()).toEqual([
    'dead_letter.courses-enrol poison',
    'dead_letter.students-fan-out poison too',
  ])
  for (const { reason } of found) expect(reason).toMatch(/not a valid/)
})

test('a message that kills its worker again and again is led to the dead letter by the sweeper', async () => {
  const jetstream = await world.broker.jetstream()
  await jetstream.publish('course.modified', Buffer.from('kills'))
  const consumer = await jetstream.consumers.get('CourseModified', 'students-enrol')
  for (let delivery = 1; delivery <= 20; delivery++) {
    const message = await consumer.next({ expires: 5000 })
    expect(message?.info.deliveryCount).toBe(delivery)
    message?.nak(1)
  }
  expect(await consumer.next({ expires: 1000 })).toBeNull()
  await using exhausted = new NatsExhausted({
    url: world.natsUrl,
    name: 'test',
    consumers: ['students-enrol'],
  })
  await vi.waitFor(async () => expect(await exhausted.bury()).toBe(1), { timeout: 40_000 })
  expect((await deadLetters()).at(-1)).toMatchObject({
    subject: 'dead_letter.students-enrol',
    text: 'kills',
    reason: expect.stringMatching(/died or hung/),
  })
  expect(await exhausted.bury()).toBe(0)
  // Counted under the function's name, as its worker would.
  expect(await (await metrics()).metrics()).toContain(
    'registrar_dead_letters_total{function="students/enrol",reason="exhausted"} 1',
  )
  await world.settle()
})

test('a mutation while the broker is away is answered, kept in the outbox, and told later', async () => {
  const { students, courses } = world
  const course = await courses.create(aCourse())
  let student = ''
  await world.bounceNats(async () => {
    student = (await students.create(aStudent([course.id]))).id
    expect(await students.members(student)).toEqual([course.id])
  })
  // Sweeping takes what is older than five seconds.
  await vi.waitFor(
    async () => {
      await students.relay.sweep()
      const manager = await (await world.broker.jetstream()).jetstreamManager()
      expect((await manager.streams.info('StudentToModify')).state.messages).toBeGreaterThan(0)
    },
    { timeout: 30_000, interval: 500 },
  )
  await world.settle()
  expect(await courses.members(course.id)).toEqual([student])
})

test('an error of the database is no answer: nothing is compensated while it lasts', async () => {
  const { students, courses } = world
  const course = await courses.create(aCourse())
  const student = await students.create(aStudent([course.id]))
  const failing = vi
    .spyOn(Object.getPrototypeOf(courses.repository), 'change')
    .mockRejectedValue(new Error('timeout'))
  const stop = new AbortController()
  const running = world.run(stop.signal)
  await vi.waitFor(() => expect(failing.mock.calls.length).toBeGreaterThan(3), { timeout: 30_000 })
  stop.abort()
  failing.mockRestore()
  await running
  await world.settle()
  expect(await students.members(student.id)).toEqual([course.id])
  expect(await courses.members(course.id)).toEqual([student.id])
})
