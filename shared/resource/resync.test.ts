import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resync } from '../../scripts/operate/resync.ts'
import { expectConverged } from '../testing/enrolment-oracle.ts'
import { aCourse, aStudent, crossWrites, enrolmentWorld, type World } from '../testing/enrolment-world.ts'

describe('after the store of the broker was lost', () => {
  let world: World
  beforeAll(async () => {
    world = await enrolmentWorld()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it('a resync of both sides makes them equal again, and limits hold', async () => {
    const { students, courses } = world
    const one = await students.create(aStudent())
    const two = await students.create(aStudent())
    const kept = await courses.create(aCourse([one.id]))
    const ended = await courses.create(aCourse([one.id, two.id]))
    const deleted = await courses.create(aCourse([one.id]))
    await world.settle()

    // Told to the broker, marked as sent, and by no worker heard of: from both sides, and both ways.
    const added = await courses.create(aCourse([two.id]))
    await students.link(one.id, [kept.id, deleted.id])
    await courses.link(ended.id, [one.id])
    await courses.remove(deleted.id)
    const absent = 'a'.repeat(24)
    const lost = await students.create(aStudent([absent, kept.id]))
    const crowd = await Promise.all(Array.from({ length: 60 }, () => students.create(aStudent([added.id]))))
    await world.wipeNats()
    await world.settle()
    const ids = {
      students: [one, two, lost, ...crowd].map(({ id }) => id),
      courses: [kept, ended, deleted, added].map(({ id }) => id),
    }
    await expect(expectConverged(world, ids), 'nothing was lost').rejects.toThrow()
    expect(await courses.members(kept.id)).toEqual([one.id])
    expect(await students.members(one.id)).toEqual([kept.id, deleted.id])

    const { events } = world
    for (const id of ids.students) await resync({ side: 'S', repository: students.repository, events }, id)
    for (const id of ids.courses) await resync({ side: 'C', repository: courses.repository, events }, id)
    await world.settle()
    await expectConverged(world, ids)
    expect(await students.members(one.id)).toEqual([kept.id])
    expect(await courses.members(kept.id)).toEqual([one.id, lost.id])
    expect(await courses.members(ended.id)).toEqual([])
    expect(await courses.members(added.id)).toHaveLength(60)
    expect(await world.enrolments('students', lost.id)).toMatchObject([
      { id: kept.id, state: 'confirmed' },
      // Taken back only now, so its register is the newest.
      { id: absent, state: 'rejected', reason: 'course_not_found' },
    ])
    // Again it changes nothing.
    const before = await Promise.all(ids.courses.map((id) => courses.repository.get(id)))
    await resync({ side: 'S', repository: students.repository, events }, one.id)
    for (const id of ids.courses) await resync({ side: 'C', repository: courses.repository, events }, id)
    await world.settle()
    expect(await Promise.all(ids.courses.map((id) => courses.repository.get(id)))).toEqual(before)
  })
})

describe('with the clocks of the two sides an hour apart', () => {
  const hour = 3_600_000

  it.each([
    ['ahead', hour],
    ['behind', -hour],
  ])('(students %s) a later write wins, and writes at once converge', async (_, skew) => {
    await using world = await enrolmentWorld({ skew })
    const { students, courses } = world
    const some = await Promise.all(Array.from({ length: 6 }, () => students.create(aStudent())))
    const others = await Promise.all(Array.from({ length: 6 }, () => courses.create(aCourse())))
    const [one, other] = [some[0]?.id ?? '', others[0]?.id ?? '']
    // Each write knows of the one before, so it wins, whatever its clock says.
    for (const present of [true, false, true, false]) {
      await students.link(one, present ? [other] : [])
      await world.settle()
      expect(await courses.members(other)).toEqual(present ? [one] : [])
      await courses.link(other, present ? [] : [one])
      await world.settle()
      expect(await students.members(one)).toEqual(present ? [] : [other])
    }

    const stop = new AbortController()
    const running = world.run(stop.signal)
    const full = await courses.create(aCourse())
    const crowd = Promise.all(Array.from({ length: 70 }, () => students.create(aStudent([full.id]))))
    await crossWrites(world, some, others, 10)
    const wanting = await crowd
    stop.abort()
    await running
    await world.settle()
    expect(await courses.members(full.id)).toHaveLength(60)
    await expectConverged(world, {
      students: [...some, ...wanting].map(({ id }) => id),
      courses: [...others, full].map(({ id }) => id),
    })
  })
})
