/** The numbered points are those of enrolment-protocol.md: what its model checker found. */
import { describe, expect, test } from 'vitest'
import { type AppliedLink, applyLink } from './apply-link.ts'
import type { Aggregate } from './links.ts'
import { compareRegisters, missingRegister, type Register, type Side } from './register.ts'
import { checkAtRest, settle } from './simulation/oracle.ts'
import { World } from './simulation/world.ts'
import { collectTombstones } from './tombstones.ts'

const now = 1_000
const add = (ts: number, origin: Side): Register => ({ present: true, ts, origin })
const remove = (ts: number, origin: Side): Register => ({ present: false, ts, origin })

function course(links: Record<string, Register> = {}, floor = 0): Aggregate {
  return { links: new Map(Object.entries(links)), floor }
}

function atCourse(aggregate: Aggregate | undefined, message: Register, limit = 60): AppliedLink {
  return applyLink({ me: 'C', ownId: 'c', otherId: 's', aggregate, message, now, limit })
}

function linked(register: Register) {
  return { student_id: 's', course_id: 'c', register }
}

test('the naive add and remove messages diverge where registers do not', () => {
  // The student adds and removes, the course adds; that last add arrives first.
  const student = new Set(['c'])
  student.delete('c')
  const courseMembers = new Set(['s'])
  student.add('c') // the course's add
  courseMembers.add('s') // the student's add
  courseMembers.delete('s') // the student's remove, in order
  expect([student.has('c'), courseMembers.has('s')]).toEqual([true, false])

  const messages = [
    { to: 'C', register: add(1, 'S') },
    { to: 'C', register: remove(2, 'S') },
    { to: 'S', register: add(3, 'C') },
  ] as const
  for (const order of permutations([...messages, ...messages])) {
    const held: Record<Side, Register> = { S: remove(2, 'S'), C: add(3, 'C') }
    for (const { to, register } of order) {
      const aggregate = { links: new Map([['other', held[to]]]), floor: 0 }
      const input = { me: to, ownId: 'own', otherId: 'other', aggregate, message: register, now, limit: 1 }
      held[to] = applyLink(input).changed ?? held[to]
    }
    expect(held).toEqual({ S: add(3, 'C'), C: add(3, 'C') })
  }
})

describe('1. ids are never reused', () => {
  test('because an absent aggregate remembers nothing of what it answered', () => {
    expect(atCourse(undefined, add(5, 'S')).changed).toBeUndefined()
    expect(atCourse(course(), add(5, 'S')).effect).toBe('adopted') // one made anew under the same id
  })
})

describe('2. a remove for an unknown link', () => {
  test('is stored, so that the add it overtook is out of date', () => {
    const first = atCourse(course(), remove(6, 'S'))
    expect(first).toEqual({ effect: 'adopted', changed: remove(6, 'S') })
    const late = atCourse(course({ s: remove(6, 'S') }), add(5, 'S'))
    expect(late).toEqual({ effect: 'stale', reply: { link: linked(remove(6, 'S')), durable: false } })
  })
})

describe('3. ties', () => {
  test('at one ts the side decides, the same on both sides', () => {
    expect(atCourse(course({ s: add(5, 'C') }), remove(5, 'S'))).toEqual({
      effect: 'adopted',
      changed: remove(5, 'S'),
    })
    const aggregate = { links: new Map([['c', remove(5, 'S')]]), floor: 0 }
    const atStudent = applyLink({
      me: 'S',
      ownId: 's',
      otherId: 'c',
      aggregate,
      message: add(5, 'C'),
      now,
      limit: 15,
    })
    expect(atStudent).toEqual({ effect: 'stale', reply: { link: linked(remove(5, 'S')), durable: false } })
  })

  test('the floor beats either side at its ts', () => {
    for (const origin of ['S', 'C'] as const) {
      expect(atCourse(course({}, 5), add(5, origin)).effect).toBe('stale')
      expect(compareRegisters(missingRegister(5), add(5, origin))).toBeGreaterThan(0)
    }
    expect(atCourse(course({}, 5), add(6, 'S')).effect).toBe('adopted')
  })
})

describe('4. a compensation', () => {
  test('of a full course is the register that it stores, and goes through the outbox', () => {
    const full = course({ other: add(1, 'S') })
    const register: Register = { present: false, ts: now * 1000, origin: 'C', reason: 'course_full' }
    expect(atCourse(full, add(5, 'S'), 1)).toEqual({
      effect: 'rejected',
      changed: register,
      reply: { link: linked(register), durable: true },
    })
  })

  test('of a full course is newer than an add from a clock that is ahead', () => {
    const ahead = now * 1000 + 3_600_000_000
    expect(atCourse(course(), add(ahead, 'S'), 0).changed?.ts).toBe(ahead + 1)
  })

  test('of an absent course is stateless and the same at each delivery', () => {
    const register: Register = { present: false, ts: 6, origin: 'C', reason: 'course_not_found' }
    const expected = { effect: 'absent', reply: { link: linked(register), durable: false } }
    expect(atCourse(undefined, add(5, 'S'))).toEqual(expected)
    expect(atCourse(undefined, add(5, 'S'))).toEqual(expected)
  })

  test('redelivered after the rejection is answered with it, reason included', () => {
    const rejected: Register = { present: false, ts: 9, origin: 'C', reason: 'course_full' }
    expect(atCourse(course({ s: rejected }), add(5, 'S')).reply).toEqual({
      link: linked(rejected),
      durable: false,
    })
  })
})

describe('5. a message from before a collection', () => {
  test('is answered with the floor, which undoes it where it came from', () => {
    const { links, floor } = collectTombstones({ ...course({ s: remove(6, 'S') }), now, olderThan: 0 })
    const { reply } = atCourse({ links, floor }, add(5, 'S'))
    expect(reply).toEqual({
      link: linked({ present: false, ts: 6, origin: 'Z' }),
      durable: false,
    })
  })
})

describe('6. compensation never compensates', () => {
  test('a remove is taken by a full course, and unanswered by an absent one', () => {
    expect(atCourse(course({ s: add(5, 'C'), t: add(5, 'C') }), remove(6, 'S'), 1).effect).toBe('adopted')
    expect(atCourse(course({ t: add(5, 'C') }), remove(6, 'S'), 1).effect).toBe('adopted')
    expect(atCourse(undefined, remove(6, 'S'))).toEqual({ effect: 'absent' })
  })
})

describe('7. a swap on a full course', () => {
  test('whose add overtakes the remove is rejected, on both sides', () => {
    const world = new World({ students: 2, courses: 1, limits: { S: 1, C: 1 }, skew: { S: 0, C: 0 } })
    world.act({ do: 'toggle', side: 'S', who: 0, other: 0 })
    settle(world, 1)
    world.act({ do: 'toggle', side: 'S', who: 0, other: 0 })
    world.act({ do: 'toggle', side: 'S', who: 1, other: 0 })
    world.act({ do: 'relay', side: 'S', which: 1, crash: 'none' })
    world.act({ do: 'deliver', which: 0, crash: 'none' })
    world.act({ do: 'deliver', which: 0, crash: 'none' })
    settle(world, 1)
    checkAtRest(world)
    expect([world.sides.C.present('c0'), world.sides.S.present('s1')]).toEqual([[], []])
    expect(world.sides.S.knows('s1', 'c0')).toMatchObject({ present: false, reason: 'course_full' })
  })
})

describe('8. If-Match', () => {
  test('a change from the other side moves the version, so that a stale PUT emits nothing', () => {
    const world = new World({ students: 1, courses: 2, limits: { S: 2, C: 1 }, skew: { S: 0, C: 0 } })
    world.act({ do: 'read', side: 'S', who: 0 })
    world.act({ do: 'toggle', side: 'C', who: 0, other: 0 })
    settle(world, 1)
    world.act({ do: 'put what was read', other: 1, ifMatch: true })
    expect(world.sides.S.outbox).toEqual([])
    expect(world.sides.S.present('s0')).toEqual(['c0'])
    // Without it the write stands, and takes back what it had not seen: intent is lost, agreement is not.
    world.act({ do: 'put what was read', other: 1, ifMatch: false })
    settle(world, 2)
    checkAtRest(world)
    expect(world.sides.S.present('s0')).toEqual(['c1'])
  })
})

describe('9. only an answer of the store makes an aggregate absent', () => {
  test('one without any links is there, and takes the add', () => {
    expect(atCourse(course(), add(5, 'S'))).toEqual({ effect: 'adopted', changed: add(5, 'S') })
  })
})

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield []
  for (const [index, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [item, ...rest]
  }
}
