import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { limits } from '../../shared/enrolment/links.ts'
import { aCourse, aStudent } from '../../shared/testing/enrolment-world.ts'
import { overBothAdapters } from './testing/adapters.ts'
import type { Point } from './testing/functions.ts'
import { expectLink, given, openStage, type Stage, sweep, unsettled } from './testing/stage.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

await overBothAdapters('a worker is killed', (courses) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage({ courses })
    stage.functions.start('students/fan-out')
  })
  afterAll(() => stage[Symbol.asyncDispose]())

  /** The courses' worker dies of its next message, which stays with it. */
  async function dies(dieAt: Point): Promise<void> {
    expect(await stage.functions.run('courses/enrol', { dieAt })).toBe('SIGKILL')
    expect(await unsettled(stage.world, 'StudentModified', 'courses-enrol')).toBe(1)
  }

  it('before it acknowledges: the message comes again, and changes nothing more', async () => {
    const { world } = stage
    const course = await world.courses.create(aCourse())
    const student = await world.students.create(aStudent([course.id]))
    await dies('handled')
    expect((await world.courses.repository.get(course.id))?.members).toEqual([student.id])
    await sweep(world)
    await world.settle()
    await expectLink(world, student.id, course.id, { present: true })
    expect((await world.courses.repository.get(course.id))?.version).toBe(2)
  })

  it('after its reply about a course that is not there: the reply comes twice, and counts once', async () => {
    const { world } = stage
    const absent = 'a'.repeat(24)
    const before = await given(world, 'CourseModified')
    const student = await world.students.create(aStudent([absent]))
    await dies('replied')
    const told = await given(world, 'CourseModified')
    expect(told).toBeGreaterThan(before)
    await world.settle()
    expect(await given(world, 'CourseModified')).toBeGreaterThan(told)
    const { id } = student
    expect(await world.enrolments('students', id)).toMatchObject([
      { id: absent, state: 'rejected', reason: 'course_not_found' },
    ])
    expect((await world.students.repository.get(id))?.version).toBe(2)
  })

  it('after it took back what a full course cannot take, before it told of that', async () => {
    const { world } = stage
    const crowd = Array.from({ length: limits.course }, () => randomUUID())
    const course = await world.courses.create(aCourse(crowd))
    const student = await world.students.create(aStudent([course.id]))
    await dies('committed')
    expect(await world.students.members(student.id)).toEqual([course.id])
    await expect.poll(() => world.unsent()).toBe(1)
    await sweep(world)
    await world.settle()
    await expectLink(world, student.id, course.id, { present: false, reason: 'course_full' })
  })
})

await overBothAdapters('a fan-out is killed', (courses) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage({ courses })
  })
  afterAll(() => stage[Symbol.asyncDispose]())

  it('before it acknowledges: it tells all again, which changes nothing more', async () => {
    const { world, functions } = stage
    const student = await world.students.create(aStudent())
    const course = await world.courses.create(aCourse([student.id]))
    expect(await functions.run('courses/fan-out', { dieAt: 'handled' })).toBe('SIGKILL')
    expect(await given(world, 'CourseModified')).toBe(1)
    expect(await unsettled(world, 'CourseToModify', 'courses-fan-out')).toBe(1)
    await world.settle()
    await expectLink(world, student.id, course.id, { present: true })
    expect((await world.students.repository.get(student.id))?.version).toBe(2)
  })
})
