import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LinkMessage } from '../enrolment/messages.ts'
import { aCourse, aStudent, enrolmentWorld, type World } from '../testing/enrolment-world.ts'

const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
const noCourse = 'a'.repeat(24)
const noStudent = randomUUID()

let world: World

beforeAll(async () => {
  world = await enrolmentWorld()
})

afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

/** Q1: both sides say the same of each link; fails with what they say. */
async function expectAgreement(studentIds: readonly string[], courseIds: readonly string[]): Promise<void> {
  const { students, courses } = world
  const fromStudents = await Promise.all(
    studentIds.map(async (id) => ((await students.members(id)) ?? []).map((course) => `${id} ${course}`)),
  )
  const fromCourses = await Promise.all(
    courseIds.map(async (id) => ((await courses.members(id)) ?? []).map((student) => `${student} ${id}`)),
  )
  expect(fromStudents.flat().sort()).toEqual(fromCourses.flat().sort())
}

describe('links', () => {
  test('made by the student become confirmed on the course, and the other way round', async () => {
    const { students, courses } = world
    const course = await courses.create(aCourse())
    const student = await students.create(aStudent([course.id]))
    const other = await courses.create(aCourse([student.id]))
    expect((await world.enrolments('students', student.id)).find(({ id }) => id === course.id)?.state).toBe(
      'pending',
    )
    await world.settle()
    expect(await courses.members(course.id)).toEqual([student.id])
    expect(await students.members(student.id)).toEqual([course.id, other.id])
    expect((await world.enrolments('students', student.id)).map(({ state }) => state)).toEqual([
      'confirmed',
      'confirmed',
    ])
    expect((await world.enrolments('courses', other.id)).map(({ state }) => state)).toEqual(['confirmed'])
  })

  test('ended by either side are gone on both', async () => {
    const { students, courses } = world
    const [one, two] = [await courses.create(aCourse()), await courses.create(aCourse())]
    const student = await students.create(aStudent([one.id, two.id]))
    await world.settle()
    await students.link(student.id, [two.id])
    await courses.link(two.id, [])
    await world.settle()
    expect(await courses.members(one.id)).toEqual([])
    expect(await students.members(student.id)).toEqual([])
    expect(await world.enrolments('students', student.id)).toEqual([])
  })

  test('with what does not exist are taken back with the reason', async () => {
    const { students, courses } = world
    const student = await students.create(aStudent([noCourse]))
    const course = await courses.create(aCourse([noStudent]))
    await world.settle()
    expect(await students.members(student.id)).toEqual([])
    expect(await courses.members(course.id)).toEqual([])
    expect(await world.enrolments('students', student.id)).toMatchObject([
      { id: noCourse, state: 'rejected', reason: 'course_not_found' },
    ])
    expect(await world.enrolments('courses', course.id)).toMatchObject([
      { id: noStudent, state: 'rejected', reason: 'student_not_found' },
    ])
  })

  test('end with the deletion of either end', async () => {
    const { students, courses } = world
    const course = await courses.create(aCourse())
    const [one, two] = [
      await students.create(aStudent([course.id])),
      await students.create(aStudent([course.id])),
    ]
    await world.settle()
    await students.remove(one.id)
    await world.settle()
    expect(await courses.members(course.id)).toEqual([two.id])
    await courses.remove(course.id)
    await world.settle()
    expect(await students.members(two.id)).toEqual([])
    expect(await courses.members(course.id)).toBeUndefined()
  })

  test('under way when the other end is deleted are taken back', async () => {
    const { students, courses } = world
    const course = await courses.create(aCourse())
    const student = await students.create(aStudent([course.id]))
    await courses.remove(course.id)
    await world.settle()
    expect(await students.members(student.id)).toEqual([])
    expect(await world.enrolments('students', student.id)).toMatchObject([{ reason: 'course_not_found' }])
  })
})

describe('limits', () => {
  test('a course takes exactly 60 of 100 students that want it at once; the rest are told that it is full', async () => {
    const { students, courses } = world
    const course = await courses.create(aCourse())
    const all = await Promise.all(Array.from({ length: 100 }, () => students.create(aStudent([course.id]))))
    await world.settle()
    expect(await courses.members(course.id)).toHaveLength(60)
    const states = (await Promise.all(all.map(({ id }) => world.enrolments('students', id)))).flat()
    expect(states.filter(({ state }) => state === 'confirmed')).toHaveLength(60)
    expect(states.filter((one) => one.state === 'rejected' && one.reason === 'course_full')).toHaveLength(40)
    await expectAgreement(
      all.map(({ id }) => id),
      [course.id],
    )
  })

  test('a student takes exactly 15 of 100 courses that want it at once', async () => {
    const { students, courses } = world
    const student = await students.create(aStudent())
    const all = await Promise.all(Array.from({ length: 100 }, () => courses.create(aCourse([student.id]))))
    await world.settle()
    expect(await students.members(student.id)).toHaveLength(15)
    const states = (await Promise.all(all.map(({ id }) => world.enrolments('courses', id)))).flat()
    expect(states.filter(({ state }) => state === 'confirmed')).toHaveLength(15)
    expect(states.filter((one) => one.state === 'rejected' && one.reason === 'student_full')).toHaveLength(85)
    await expectAgreement(
      [student.id],
      all.map(({ id }) => id),
    )
  })
})

describe('races', () => {
  test('200 writes from both sides at once leave both sides equal', async () => {
    const { students, courses } = world
    const some = await Promise.all(Array.from({ length: 10 }, () => students.create(aStudent())))
    const others = await Promise.all(Array.from({ length: 10 }, () => courses.create(aCourse())))
    const stop = new AbortController()
    const running = world.run(stop.signal)
    const pick = <T extends { id: string }>(list: readonly T[]): string[] =>
      list.filter(() => Math.random() < 0.5).map(({ id }) => id)
    await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const one = some[i % 10]
        const other = others[Math.floor(i / 10) % 10]
        if (one && other)
          await (i % 2 === 0 ? students.link(one.id, pick(others)) : courses.link(other.id, pick(some)))
      }),
    )
    stop.abort()
    await running
    await world.settle()
    await expectAgreement(
      some.map(({ id }) => id),
      others.map(({ id }) => id),
    )
  })

  test('1,000 shuffled deliveries of one link end with the highest register', async () => {
    const { students, courses } = world
    const course = await courses.create(aCourse())
    const student = await students.create(aStudent())
    const base = Date.now() * 1000
    const messages = Array.from(
      { length: 500 },
      (_, i): LinkMessage => ({
        student_id: student.id,
        course_id: course.id,
        register: { present: i % 3 !== 0, ts: base + i, origin: 'S' },
      }),
    )
    const shuffled = [...messages, ...messages].sort(() => Math.random() - 0.5)
    await Promise.all(
      shuffled.map((link) => world.events.tell('C', link, { traceparent, nonce: randomUUID() })),
    )
    await world.settle()
    const [, register] = [...((await courses.repository.links(course.id)) ?? [])][0] ?? []
    expect(register).toMatchObject({ ts: base + 499, present: 499 % 3 !== 0 })
  })
})
