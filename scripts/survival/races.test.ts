import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { limits } from '../../shared/enrolment/links.ts'
import type { LinkMessage } from '../../shared/enrolment/messages.ts'
import type { Register, Side } from '../../shared/enrolment/register.ts'
import { tombstoneAge } from '../../shared/enrolment/tombstones.ts'
import { encodeLink } from '../../shared/messages/link-codec.ts'
import { collectOld } from '../../shared/resource/collect.ts'
import { expectConverged } from '../../shared/testing/enrolment-oracle.ts'
import {
  aCourse,
  aStudent,
  crossWrites,
  enrolmentWorld,
  type World,
} from '../../shared/testing/enrolment-world.ts'
import { Random } from '../chaos/random.ts'
import { resync } from '../operate/resync.ts'
import { overBothAdapters } from './testing/adapters.ts'
import { expectLink, given } from './testing/stage.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`

async function hundred<T>(make: () => Promise<T>): Promise<T[]> {
  const made: T[] = []
  while (made.length < 100) made.push(...(await Promise.all(Array.from({ length: 10 }, make))))
  return made
}

await overBothAdapters('races', (courses) => {
  let world: World
  beforeAll(async () => {
    world = await enrolmentWorld({ courses })
  })
  afterAll(() => world[Symbol.asyncDispose]())

  /** A student and a course that know nothing of each other. */
  async function strangers(): Promise<{ student: string; course: string }> {
    return {
      student: (await world.students.create(aStudent())).id,
      course: (await world.courses.create(aCourse())).id,
    }
  }

  type Ends = Awaited<ReturnType<typeof strangers>>

  const message = ({ student, course }: Ends, register: Register): LinkMessage => ({
    student_id: student,
    course_id: course,
    register,
  })

  /** What a worker does with a link message. */
  const deliver = (to: 'students' | 'courses', link: LinkMessage): Promise<string> =>
    world[to].enrol.handle(encodeLink(link), { traceparent })

  const version = async (side: 'students' | 'courses', id: string): Promise<number | undefined> =>
    (await world[side].repository.get(id))?.version

  describe('messages', () => {
    it('adds and removes of both sides, 1,000 deliveries in any order: the highest register stands', async () => {
      const ends = await strangers()
      const base = Date.now() * 1000
      // The clocks of both sides show the same, so that the side decides of each two.
      const links = Array.from({ length: 250 }, (_, i) => {
        const origin: Side = i % 2 === 0 ? 'S' : 'C'
        return message(ends, { present: i % 3 === 2, ts: base + Math.floor(i / 2), origin })
      })
      const all = links.flatMap((link) => [['S', link] as const, ['C', link] as const])
      for (const [to, link] of new Random(20_261_124).shuffled([...all, ...all]))
        await world.events.tell(to, link, { traceparent, nonce: randomUUID() })
      await world.settle()
      // The last two are a remove by the course and an add by the student, whose word counts for more.
      await expectLink(world, ends.student, ends.course, { present: true, ts: base + 124, origin: 'S' })
    })

    it('a remove before its add: the add is out of date', async () => {
      const ends = await strangers()
      const ts = Date.now() * 1000
      await world.events.tell('C', message(ends, { present: false, ts: ts + 1, origin: 'S' }), {
        traceparent,
      })
      await world.settle()
      await world.events.tell('C', message(ends, { present: true, ts, origin: 'S' }), { traceparent })
      await world.settle()
      expect(await world.courses.members(ends.course)).toEqual([])
      await expectLink(world, ends.student, ends.course, { present: false, ts: ts + 1 })
    })

    it('an add that comes again after it was rejected is rejected, with the same register', async () => {
      const { students } = world
      const full = await world.courses.create(aCourse(Array.from({ length: limits.course }, randomUUID)))
      const { id } = await students.create(aStudent([full.id]))
      const add = (await students.repository.links(id))?.get(full.id)
      if (!add) throw new Error('the student has no register')
      expect(await deliver('courses', message({ student: id, course: full.id }, add))).toBe('rejected')
      const rejected = (await world.courses.repository.links(full.id))?.get(id)
      expect(await deliver('courses', message({ student: id, course: full.id }, add))).toBe('stale')
      // The others never were: now there is room, which changes nothing.
      await world.settle()
      expect(await deliver('courses', message({ student: id, course: full.id }, add))).toBe('stale')
      await world.settle()
      expect((await world.courses.repository.links(full.id))?.get(id)).toEqual(rejected)
      await expectLink(world, id, full.id, { present: false, reason: 'course_full' })
    })

    it('one that was lost while the broker still knows its id is told all the same by a resync', async () => {
      const { students, courses: all, events } = world
      const { id } = await all.create(aCourse())
      const student = await students.create(aStudent([id]))
      const manager = await (await world.broker.jetstream()).jetstreamManager()
      const add = (await students.repository.links(student.id))?.get(id)
      if (!add) throw new Error('the student has no register')
      expect((await manager.streams.purge('StudentToModify')).purged).toBe(1)
      // What the fan-out would have told, under the id that it would have given it.
      await events.tell('C', message({ student: student.id, course: id }, add), { traceparent })
      expect((await manager.streams.purge('StudentModified')).purged).toBe(1)
      await world.settle()
      expect(await all.members(id)).toEqual([])
      await resync({ side: 'S', repository: students.repository, events }, student.id)
      await world.settle()
      await expectLink(world, student.id, id, { present: true })
    })

    it('a message that is out of date makes the cache forget, for the one before may have died before that', async () => {
      const ends = await strangers()
      const ts = Date.now() * 1000
      const [old, add] = [
        message(ends, { present: false, ts, origin: 'S' }),
        message(ends, { present: true, ts: ts + 1, origin: 'S' }),
      ]
      expect(await deliver('courses', add)).toBe('adopted')
      for (const [link, effect] of [
        [add, 'dropped'],
        [old, 'stale'],
      ] as const) {
        const names = [`id:${ends.course}`, 'list', `by:${ends.student}`]
        for (const name of names) await world.courses.cache.generation(name)
        expect(await deliver('courses', link)).toBe(effect)
        for (const name of names)
          expect(await world.courses.cache.read(name, '')).not.toHaveProperty('generation')
      }
      await world.settle()
    })
  })

  describe('ends that are not there', () => {
    it('what never was: the link is taken back with the reason, on either side', async () => {
      const [noCourse, noStudent] = ['a'.repeat(24), randomUUID()]
      const student = await world.students.create(aStudent([noCourse]))
      const course = await world.courses.create(aCourse([noStudent]))
      await world.settle()
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
    const rejected = async (side: 'students' | 'courses', of: readonly { readonly id: string }[]) => {
      const reasons: string[] = []
      for (const { id } of of)
        for (const one of await world.enrolments(side, id))
          if (one.state === 'rejected') reasons.push(one.reason)
      return reasons
    }
    expect(await rejected('students', wanting)).toEqual(Array(40).fill('course_full'))
    expect(await rejected('courses', offering)).toEqual(Array(85).fill('student_full'))
    await expectConverged(world, {
      students: [student, ...wanting].map(({ id }) => id),
      courses: [course, ...offering].map(({ id }) => id),
    })
  })

  it('an add from before its end was collected is out of date on either side', async () => {
    const later = Date.now() + tombstoneAge + 60_000
    const ends = await strangers()
    const { student, course } = ends
    await world.students.link(student, [course])
    await world.settle()
    const add = (await world.courses.repository.links(course))?.get(student)
    if (!add) throw new Error('the course does not have the student')
    await world.courses.link(course, [])
    await world.settle()
    for (const side of ['students', 'courses'] as const)
      expect(await collectOld(world[side].repository, later)).toBeGreaterThan(0)
    expect(await world.courses.repository.links(course)).toEqual(new Map())
    expect(await deliver('courses', message(ends, add))).toBe('stale')
    expect(await deliver('students', message(ends, { ...add, origin: 'C' }))).toBe('stale')
    await world.settle()
    expect(await world.courses.members(course)).toEqual([])
    expect(await world.students.members(student)).toEqual([])
  })

  it('a stale PUT with If-Match is refused, writes nothing and tells nothing', async () => {
    const { student, course } = await strangers()
    const told = [await given(world, 'StudentToModify'), await given(world, 'CourseToModify')]
    await expect(world.students.link(student, [course], '"0"')).rejects.toMatchObject({
      code: 'precondition_failed',
    })
    await expect(world.courses.link(course, [student], '"0"')).rejects.toMatchObject({
      code: 'precondition_failed',
    })
    expect([await version('students', student), await version('courses', course)]).toEqual([1, 1])
    expect(await world.unsent()).toBe(0)
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
