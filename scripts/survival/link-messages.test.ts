import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { limits } from '../../shared/enrolment/links.ts'
import type { LinkMessage } from '../../shared/enrolment/messages.ts'
import type { Register, Side } from '../../shared/enrolment/register.ts'
import { tombstoneAge } from '../../shared/enrolment/tombstones.ts'
import { encodeLink } from '../../shared/messages/link-codec.ts'
import { collectOld } from '../../shared/resource/collect.ts'
import { aCourse, aStudent, enrolmentWorld, type World } from '../../shared/testing/enrolment-world.ts'
import { Random } from '../chaos/random.ts'
import { resync } from '../operate/resync.ts'
import { overBothAdapters } from './testing/adapters.ts'
import { expectLink, type Strangers, strangers } from './testing/stage.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`

await overBothAdapters('link messages', (courses) => {
  let world: World
  beforeAll(async () => {
    world = await enrolmentWorld({ courses })
  })
  afterAll(() => world[Symbol.asyncDispose]())

  const message = ({ student, course }: Strangers, register: Register): LinkMessage => ({
    student_id: student,
    course_id: course,
    register,
  })

  /** What a worker does with a link message. */
  const deliver = (to: 'students' | 'courses', link: LinkMessage): Promise<string> =>
    world[to].enrol.handle(encodeLink(link), { traceparent })

  it('adds and removes of both sides, 1,000 deliveries in any order: the highest register stands', async () => {
    const ends = await strangers(world)
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
    const ends = await strangers(world)
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
    const ends = await strangers(world)
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

  it('an add from before its end was collected is out of date on either side', async () => {
    const later = Date.now() + tombstoneAge + 60_000
    const ends = await strangers(world)
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
})
