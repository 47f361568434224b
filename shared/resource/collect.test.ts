import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LinkMessage } from '../enrolment/messages.ts'
import type { Register } from '../enrolment/register.ts'
import { tombstoneAge } from '../enrolment/tombstones.ts'
import { encodeLink } from '../messages/link-codec.ts'
import { aCourse, aStudent, enrolmentWorld, type World } from '../testing/enrolment-world.ts'
import { collectOld } from './collect.ts'

const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`

let world: World

beforeAll(async () => {
  world = await enrolmentWorld()
})

afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

interface Ended {
  readonly student: string
  readonly course: string
  /** The add of the link, as the student told it. */
  readonly add: LinkMessage
}

/** A student and a course that were linked by the student, both sides knowing it. */
async function linked(): Promise<Ended> {
  const course = (await world.courses.create(aCourse())).id
  const student = (await world.students.create(aStudent([course]))).id
  await world.settle()
  const register = await registerOf('courses', course, student)
  if (!register?.present) throw new Error('the course does not have the student')
  return { student, course, add: { student_id: student, course_id: course, register } }
}

async function registerOf(
  side: 'students' | 'courses',
  id: string,
  other: string,
): Promise<Register | undefined> {
  return (await world[side].repository.links(id))?.get(other)
}

/** As it will be when all that has ended by now has been over for thirty days. */
const later = (): number => Date.now() + tombstoneAge + 1000

test('an add from before a collection, replayed after it, does not bring the link back', async () => {
  const { students, courses } = world
  const { student, course, add } = await linked()
  await students.link(student, [])
  await world.settle()
  expect(await collectOld(courses.repository)).toBe(0)
  expect(await registerOf('courses', course, student)).toMatchObject({ present: false })
  const version = (await courses.repository.get(course))?.version

  expect(await collectOld(students.repository, later())).toBe(1)
  expect(await collectOld(courses.repository, later())).toBe(1)
  expect(await courses.repository.links(course)).toEqual(new Map())
  expect((await courses.repository.get(course))?.version).toBe(version)

  expect(await courses.enrol.handle(encodeLink(add), { traceparent })).toBe('stale')
  await world.events.tell('C', add, { traceparent, nonce: randomUUID() })
  await world.settle()
  expect(await courses.members(course)).toEqual([])
  expect(await students.members(student)).toEqual([])
  expect(await courses.repository.links(course)).toEqual(new Map())

  // And it can begin anew.
  await students.link(student, [course])
  await world.settle()
  expect(await courses.members(course)).toEqual([student])
  expect(await world.enrolments('students', student)).toMatchObject([{ state: 'confirmed' }])
})

test('a side that never heard of the end is told of it when it says what it knows, after the collection', async () => {
  const { students, courses } = world
  const { student, course, add } = await linked()
  await courses.link(course, [])
  // The remove is lost for good, as with the store of the broker.
  const manager = await (await world.broker.jetstream()).jetstreamManager()
  expect((await manager.streams.purge('CourseToModify')).purged).toBe(1)
  const remove = await registerOf('courses', course, student)
  await world.settle()
  expect(await students.members(student)).toEqual([course])

  expect(await collectOld(courses.repository, later())).toBe(1)
  await world.events.tell('C', add, { traceparent, nonce: randomUUID() })
  await world.settle()
  expect(await courses.members(course)).toEqual([])
  expect(await students.members(student)).toEqual([])
  expect(await registerOf('students', student, course)).toEqual({
    present: false,
    ts: remove?.ts,
    origin: 'Z',
  })
})

test('a rejection is shown with its reason until it is collected', async () => {
  const { students } = world
  const student = (await students.create(aStudent(['a'.repeat(24)]))).id
  await world.settle()
  expect(await world.enrolments('students', student)).toMatchObject([{ reason: 'course_not_found' }])
  expect(await collectOld(students.repository, later())).toBeGreaterThanOrEqual(1)
  expect(await world.enrolments('students', student)).toEqual([])
})
