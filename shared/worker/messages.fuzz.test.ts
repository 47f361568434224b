import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { create, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { headers } from 'nats'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { resync } from '../../scripts/operate/resync.ts'
import { limits, presentIds } from '../enrolment/links.ts'
import { compareRegisters, type Register } from '../enrolment/register.ts'
import consumers from '../generated/consumers.json' with { type: 'json' }
import {
  CourseToModifySchema,
  LinkChangedSchema,
  StudentToModifySchema,
} from '../generated/registrar/v1/enrolment_pb.ts'
import { deadLetter } from '../messages/streams.ts'
import { aCourse, aStudent, enrolmentWorld, type World } from '../testing/enrolment-world.ts'
import type { Inbox } from './inbox.ts'
import { type Hostile, hostileMessages, type Link, messageOf } from './testing/hostile-messages.ts'

vi.setConfig({ testTimeout: 300_000 })

/** How a message of ours was settled, by whom it was published to. */
interface Settlement {
  readonly how: 'acknowledged' | 'buried' | 'given back'
  readonly deliveries: number
}

let world: World
const stop = new AbortController()
let running: Promise<void> | undefined
const settled = new Map<string, Settlement[]>()
const students: string[] = []
const courses: string[] = []

beforeAll(async () => {
  world = await enrolmentWorld({ watch: witnessed })
  for (let i = 0; i < 3; i++) students.push((await world.students.create(aStudent())).id)
  for (let i = 0; i < 3; i++) courses.push((await world.courses.create(aCourse())).id)
  running = world.run(stop.signal)
  // It is looked at in the test; a rejection before that is no unhandled one.
  running.catch(() => {})
})
afterAll(async () => {
  stop.abort()
  await running?.catch(() => {})
  await world[Symbol.asyncDispose]()
})

/** Every settlement of the messages that bear one of our marks. */
function witnessed(consumer: string, inbox: Inbox): Inbox {
  return {
    async *messages(concurrency, signal) {
      for await (const delivery of inbox.messages(concurrency, signal)) {
        const { traceparent = '', deliveries, payload } = delivery
        const key = keyOf(consumer, traceparent, payload)
        const note = (how: Settlement['how']): void => {
          settled.set(key, [...(settled.get(key) ?? []), { how, deliveries }])
        }
        yield {
          ...delivery,
          acknowledge: async () => {
            await delivery.acknowledge()
            note('acknowledged')
          },
          retry: async (delay) => {
            note('given back')
            await delivery.retry(delay)
          },
          bury: async (reason, traceparent) => {
            await delivery.bury(reason, traceparent)
            note('buried')
          },
        }
      }
    },
  }
}

/** What each message that was published bears; the dead letter keeps it. */
const published = new Map<string, Hostile>()

async function publish(message: Hostile): Promise<string> {
  const mark = `00-${randomBytes(16).toString('hex')}-${'1'.repeat(16)}-01`
  const carried = headers()
  carried.set('traceparent', mark)
  published.set(mark, message)
  const { seq } = await (await world.broker.jetstream()).publish(message.subject, message.bytes, {
    headers: carried,
  })
  expect(seq).toBeGreaterThan(0)
  return mark
}

const consumerOf = (subject: string): string =>
  consumers.find((one) => one.subject === subject)?.consumer ?? ''
/** What one side answers to the other's answer bears the mark of the message that began it, and is another message. */
const keyOf = (consumer: string, mark: string, payload: Uint8Array): string =>
  `${consumer} ${mark} ${Buffer.from(payload).toString('base64')}`
const settlements = (mark: string): Settlement[] => {
  const { subject = '', bytes = Buffer.alloc(0) } = published.get(mark) ?? {}
  return settled.get(keyOf(consumerOf(subject), mark, bytes)) ?? []
}

/** Waits until each is settled; the workers run meanwhile, and must go on. */
async function untilSettled(marks: readonly string[]): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(5)) {
    if (marks.every((mark) => settlements(mark).some(({ how }) => how !== 'given back'))) return
    await Promise.race([running, sleep(0)])
  }
  const lost = marks.filter((mark) => !settlements(mark).some(({ how }) => how !== 'given back'))
  throw new Error(
    `not settled: ${lost.map((mark) => `${published.get(mark)?.subject} ${JSON.stringify(settlements(mark))}`).join('; ')}`,
  )
}

/** What nothing hostile has a part in, sent behind it. */
async function canaries(): Promise<string[]> {
  const at = BigInt(Date.now()) * 1000n
  const one: Link = {
    student: randomUUID(),
    course: randomBytes(12).toString('hex'),
    register: { present: false, ts: at, origin: 1 },
  }
  const bytes = toBinary(LinkChangedSchema, messageOf(one))
  const wholes = [
    toBinary(
      StudentToModifySchema,
      create(StudentToModifySchema, { studentId: one.student, links: [messageOf(one)] }),
    ),
    toBinary(
      CourseToModifySchema,
      create(CourseToModifySchema, { courseId: one.course, links: [messageOf(one)] }),
    ),
  ] as const
  return Promise.all([
    publish({ subject: 'student.modified', bytes, lawful: true, links: [] }),
    publish({ subject: 'course.modified', bytes, lawful: true, links: [] }),
    publish({ subject: 'student.to_modify', bytes: wholes[0], lawful: true, links: [] }),
    publish({ subject: 'course.to_modify', bytes: wholes[1], lawful: true, links: [] }),
  ])
}

async function standing(subject: string, { student, course }: Link): Promise<Register | undefined> {
  const toCourses = subject === 'student.modified'
  const links = toCourses
    ? await world.courses.repository.links(course)
    : await world.students.repository.links(student)
  return links?.get(toCourses ? student : course)
}

const origins = ['', 'S', 'C', 'Z'] as const

test('whatever comes is applied, or a dead letter at its first handling, and what is behind it goes on', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(hostileMessages(students, courses), { minLength: 1, maxLength: 20, size: 'max' }),
      async (messages) => {
        const marks = await Promise.all(messages.map(publish))
        const behind = await canaries()
        await untilSettled([...marks, ...behind])
        for (const mark of [...marks, ...behind]) {
          const { lawful, subject, links } = published.get(mark) ?? {}
          const all = settlements(mark)
          const [final, ...more] = all.map(({ how }) => how).filter((how) => how !== 'given back')
          expect(more, subject).toEqual([])
          // What is lawful may have to wait for a database; what is buried needs none, so it is not given back when it is
          // handled first. What comes again, for its broker was slow, may wait among suspects before that.
          if (final === 'buried')
            expect(all.filter(({ how, deliveries }) => how === 'given back' && deliveries === 1)).toEqual([])
          if (lawful !== undefined)
            expect(final, JSON.stringify(links, big)).toBe(lawful ? 'acknowledged' : 'buried')
          for (const one of lawful ? (links ?? []) : []) {
            const stands = await standing(subject ?? '', one)
            if (!stands || !one.register) continue
            const { present, ts, origin } = one.register
            const told: Register = { present, ts: Number(ts), origin: origins[origin] ?? '' }
            expect(compareRegisters(stands, told), JSON.stringify([stands, told])).toBeGreaterThanOrEqual(0)
          }
        }
      },
    ),
    { numRuns: 150, interruptAfterTimeLimit: 45_000, markInterruptAsFailure: false },
  )
})

test('each dead letter has its message as it was, with the reason', async () => {
  const buried = [...published].filter(([mark]) => settlements(mark)[0]?.how === 'buried')
  expect(buried.length).toBeGreaterThan(100)
  const letters = await deadLetters()
  for (const [mark, { subject, bytes }] of buried) {
    const [letter, ...more] = letters.get(mark) ?? []
    expect(more).toEqual([])
    expect([letter?.reason, letter?.subject]).toEqual([
      expect.stringMatching(/^not a valid \w+: \S/),
      subject,
    ])
    expect(
      Buffer.compare(letter?.payload ?? Buffer.alloc(0), bytes.subarray(0, letter?.payload.length)),
    ).toBe(0)
    expect(letter?.payload.length).toBeGreaterThan(Math.min(bytes.length, 900_000) - 1)
  }
})

test('afterwards a resync makes both sides equal, within their limits', async () => {
  stop.abort()
  await running
  const { events } = world
  await world.settle()
  for (const id of students) await resync({ side: 'S', repository: world.students.repository, events }, id)
  for (const id of courses) await resync({ side: 'C', repository: world.courses.repository, events }, id)
  await world.settle()
  const pairs = async (own: 'students' | 'courses', ids: readonly string[]): Promise<string[]> => {
    const all = await Promise.all(
      ids.map(async (id) => {
        const links = (await world[own].repository.links(id)) ?? new Map()
        return presentIds(links).map((other) => (own === 'students' ? `${id} ${other}` : `${other} ${id}`))
      }),
    )
    return all.flat().toSorted()
  }
  expect(await pairs('students', students)).toEqual(await pairs('courses', courses))
  const most = (own: 'students' | 'courses') => Math.max(...world[own].commits.map(({ present }) => present))
  expect([most('students') <= limits.student, most('courses') <= limits.course]).toEqual([true, true])
  // And a client's own write goes through as ever.
  const [course = ''] = courses
  const student = await world.students.create(aStudent([course]))
  await world.settle()
  expect(await world.courses.members(course)).toContain(student.id)
})

async function deadLetters() {
  const manager = await (await world.broker.connection()).jetstreamManager()
  const { state } = await manager.streams.info(deadLetter.stream)
  const found = new Map<string, { payload: Uint8Array; reason: string; subject: string }[]>()
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const { header, data } = await manager.streams.getMessage(deadLetter.stream, { seq })
    const mark = header.get('traceparent')
    const letter = {
      payload: data,
      reason: header.get('Registrar-Reason'),
      subject: header.get('Registrar-Subject'),
    }
    // Those of messages that ours led to bear their marks too.
    if (published.get(mark)?.subject === letter.subject) found.set(mark, [...(found.get(mark) ?? []), letter])
  }
  return found
}

const big = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
