import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { expectConverged } from '../../shared/testing/enrolment-oracle.ts'
import {
  aCourse,
  aStudent,
  crossWrites,
  enrolmentWorld,
  insisting,
  type World,
} from '../../shared/testing/enrolment-world.ts'
import { overBothAdapters } from './testing/adapters.ts'
import { expectLink, given, strangers } from './testing/stage.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

async function hundred<T>(make: () => Promise<T>): Promise<T[]> {
  const made: T[] = []
  while (made.length < 100)
    made.push(...(await Promise.all(Array.from({ length: 10 }, () => insisting(make)))))
  return made
}

await overBothAdapters('races', (courses) => {
  let world: World
  beforeAll(async () => {
    world = await enrolmentWorld({ courses })
  })
  afterAll(() => world[Symbol.asyncDispose]())

  const version = async (side: 'students' | 'courses', id: string): Promise<number | undefined> =>
    (await world[side].repository.get(id))?.version

  it('200 writes from both sides while the workers run leave both sides equal', async () => {
    const { students, courses: all } = world
    const some = await Promise.all(Array.from({ length: 10 }, () => students.create(aStudent())))
    const others = await Promise.all(Array.from({ length: 10 }, () => all.create(aCourse())))
    const stop = new AbortController()
    const running = world.run(stop.signal)
    // Twenty at a time: more for one student or course would wait for their turns, and be refused on a busy machine.
    try {
      await crossWrites(world, some, others, 10)
    } finally {
      stop.abort()
      await running
    }
    await world.settle()
    await expectConverged(world, { students: some.map(({ id }) => id), courses: others.map(({ id }) => id) })
  })

  describe('ends that are not there', () => {
    it('what never was: the link is taken back with the reason, on either side', async () => {
      const [noCourse, noStudent] = ['a'.repeat(24), randomUUID()]
      const student = await world.students.create(aStudent([noCourse]))
      const course = await world.courses.create(aCourse([noStudent]))
      await world.settle()
      expect(await world.students.members(student.id)).toEqual([])
      expect(await world.courses.members(course.id)).toEqual([])
      expect(await world.enrolments('students', student.id)).toMatchObject([
        { id: noCourse, state: 'rejected', reason: 'course_not_found' },
      ])
      expect(await world.enrolments('courses', course.id)).toMatchObject([
        { id: noStudent, state: 'rejected', reason: 'student_not_found' },
      ])
    })

    it('what is deleted while an add is under way to it, in both directions', async () => {
      const { students, courses: all } = world
      const [course, student] = [await all.create(aCourse()), await students.create(aStudent())]
      const [wanting, offering] = [
        await students.create(aStudent([course.id])),
        await all.create(aCourse([student.id])),
      ]
      await all.remove(course.id)
      await students.remove(student.id)
      await world.settle()
      expect(await students.members(wanting.id)).toEqual([])
      expect(await all.members(offering.id)).toEqual([])
      expect(await world.enrolments('students', wanting.id)).toMatchObject([{ reason: 'course_not_found' }])
      expect(await world.enrolments('courses', offering.id)).toMatchObject([{ reason: 'student_not_found' }])
      await expectConverged(world, {
        students: [student.id, wanting.id],
        courses: [course.id, offering.id],
      })
    })

    it('what is deleted while its own add is under way from it, in both directions', async () => {
      const { students, courses: all } = world
      const [course, student] = [await all.create(aCourse()), await students.create(aStudent())]
      const [wanting, offering] = [
        await students.create(aStudent([course.id])),
        await all.create(aCourse([student.id])),
      ]
      await students.remove(wanting.id)
      await all.remove(offering.id)
      await world.settle()
      expect(await all.members(course.id)).toEqual([])
      expect(await students.members(student.id)).toEqual([])
    })
  })

  it('limits: of 100 students that want one course at once 60 have it, of 100 courses 15 the student', async () => {
    const { students, courses: all } = world
    const [course, student] = [await all.create(aCourse()), await students.create(aStudent())]
    // The links meet when the workers run; a hundred creations at once would be another story.
    const wanting = await hundred(() => students.create(aStudent([course.id])))
    const offering = await hundred(() => all.create(aCourse([student.id])))
    await world.settle()
    expect(await all.members(course.id)).toHaveLength(60)
    expect(await students.members(student.id)).toHaveLength(15)
    const outcomes = async (side: 'students' | 'courses', of: readonly { readonly id: string }[]) => {
      const told: string[] = []
      for (const { id } of of)
        for (const one of await world.enrolments(side, id))
          told.push(one.state === 'rejected' ? one.reason : one.state)
      return told.toSorted()
    }
    expect(await outcomes('students', wanting)).toEqual([
      ...Array(60).fill('confirmed'),
      ...Array(40).fill('course_full'),
    ])
    expect(await outcomes('courses', offering)).toEqual([
      ...Array(15).fill('confirmed'),
      ...Array(85).fill('student_full'),
    ])
    await expectConverged(world, {
      students: [student, ...wanting].map(({ id }) => id),
      courses: [course, ...offering].map(({ id }) => id),
    })
  })

  it('a stale PUT with If-Match is refused, writes nothing and tells nothing', async () => {
    const { student, course } = await strangers(world)
    const told = [await given(world, 'StudentToModify'), await given(world, 'CourseToModify')]
    await expect(world.students.link(student, [course], '"0"')).rejects.toMatchObject({
      code: 'precondition_failed',
    })
    await expect(world.courses.link(course, [student], '"0"')).rejects.toMatchObject({
      code: 'precondition_failed',
    })
    expect([await version('students', student), await version('courses', course)]).toEqual([1, 1])
    // What made the two is marked as told a moment after it is.
    await expect.poll(() => world.unsent()).toBe(0)
    expect([await given(world, 'StudentToModify'), await given(world, 'CourseToModify')]).toEqual(told)
  })
})

await overBothAdapters('clocks an hour apart', (courses) => {
  it.each([
    ['ahead', 3_600_000],
    ['behind', -3_600_000],
  ])('students %s: who knows of the other write wins, and both sides agree', async (_, skew) => {
    await using world = await enrolmentWorld({ courses, skew })
    const { students, courses: all } = world
    const some = await Promise.all(Array.from({ length: 4 }, () => students.create(aStudent())))
    const others = await Promise.all(Array.from({ length: 4 }, () => all.create(aCourse())))
    const [one, other] = [some[0]?.id ?? '', others[0]?.id ?? '']
    await students.link(one, [other])
    await world.settle()
    await all.link(other, [])
    await world.settle()
    await expectLink(world, one, other, { present: false, origin: 'C' })
    await all.link(other, [one])
    await world.settle()
    await students.link(one, [])
    await world.settle()
    await expectLink(world, one, other, { present: false, origin: 'S' })
    await crossWrites(world, some, others, 5)
    await world.settle()
    await expectConverged(world, { students: some.map(({ id }) => id), courses: others.map(({ id }) => id) })
  })
})
