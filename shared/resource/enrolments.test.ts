import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aCourse, aStudent, enrolmentWorld, type World } from '../testing/enrolment-world.ts'

// What enrolments do when nothing is in their way. What is: `scripts/survival`, over both course adapters.

let world: World

beforeAll(async () => {
  world = await enrolmentWorld()
})

afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

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
})
