import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { aCourse, aStudent } from '../../shared/testing/enrolment-world.ts'
import { overBothAdapters } from './testing/adapters.ts'
import { type Point, post } from './testing/functions.ts'
import { expectLink, given, openStage, type Stage, sweep } from './testing/stage.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

type Name = 'students' | 'courses'

interface Link {
  readonly student: string
  readonly course: string
}

interface Linked {
  readonly before: readonly number[]
  readonly byStudent: Link
  readonly byCourse: Link
}

await overBothAdapters('who writes is killed', (courses) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage({ courses })
  })
  afterAll(() => stage[Symbol.asyncDispose]())

  /** How many mutations either side was ever told of. */
  const announced = async (): Promise<number[]> => [
    await given(stage.world, 'StudentToModify'),
    await given(stage.world, 'CourseToModify'),
  ]

  /** A link from either side, each by a creation whose process died of it; what was announced before. */
  async function linked(dieAt: Point): Promise<Linked> {
    const { world } = stage
    for (;;) {
      const [course, student] = [
        await world.courses.create(aCourse()),
        await world.students.create(aStudent()),
      ]
      const before = await announced()
      const [newStudent, newCourse] = await Promise.all([
        created('students', aStudent([course.id]), dieAt),
        created('courses', aCourse([student.id]), dieAt),
      ])
      if (newStudent && newCourse) {
        const byStudent = { student: newStudent, course: course.id }
        return { before, byStudent, byCourse: { student: student.id, course: newCourse } }
      }
      await sweep(world)
      await world.settle()
    }
  }

  /** The id of what a process made before it died; nothing where it did not come to that, for a server was too slow. */
  async function created(side: Name, body: object, dieAt: Point): Promise<string | undefined> {
    const { world, functions } = stage
    await using victim = functions.start(`${side}/create`, { dieAt })
    const reply = await post(victim, `/api/${side}`, body)
    if (reply && (await Promise.race([victim.exited, pause(5000)])) === undefined) return undefined
    expect(await victim.exited).toBe('SIGKILL')
    const filter = { name: String(Reflect.get(body, 'name')) }
    const query = { limit: 10, sort: 'created_at', descending: false, filter }
    const { items } = await world[side].repository.list(query)
    expect(items).toHaveLength(1)
    return items[0]?.id
  }

  const oneMore = (counts: readonly number[]): number[] => counts.map((count) => count + 1)

  it('after the commit, before it is published: the sweeper publishes it', async () => {
    const { world } = stage
    const { before, byStudent, byCourse } = await linked('committed')
    expect([await announced(), await world.unsent()]).toEqual([before, 2])
    await sweep(world)
    await world.settle()
    await expectLink(world, byStudent.student, byStudent.course, { present: true, origin: 'S' })
    await expectLink(world, byCourse.student, byCourse.course, { present: true, origin: 'C' })
  })

  it('after it is published, before it is marked: told twice, it is done once', async () => {
    const { world } = stage
    const { before, byStudent, byCourse } = await linked('published')
    expect([await announced(), await world.unsent()]).toEqual([oneMore(before), 2])
    await sweep(world)
    await world.settle()
    await expectLink(world, byStudent.student, byStudent.course, { present: true })
    await expectLink(world, byCourse.student, byCourse.course, { present: true })
    expect((await world.courses.repository.get(byStudent.course))?.version).toBe(2)
    expect((await world.students.repository.get(byCourse.student))?.version).toBe(2)
  })

  it('the sweeper, after it published, before it marks: the next one does both', async () => {
    const { world, functions } = stage
    const { before, byStudent, byCourse } = await linked('committed')
    const killed = async (side: Name): Promise<void> =>
      // One that comes too early finds nothing, and ends well.
      vi.waitFor(
        async () => expect(await functions.run(`${side}/sweep`, { dieAt: 'swept' })).toBe('SIGKILL'),
        { timeout: 120_000, interval: 1000 },
      )
    await Promise.all([killed('students'), killed('courses')])
    expect([await announced(), await world.unsent()]).toEqual([oneMore(before), 2])
    await sweep(world)
    await world.settle()
    await expectLink(world, byStudent.student, byStudent.course, { present: true })
    await expectLink(world, byCourse.student, byCourse.course, { present: true })
  })
})
