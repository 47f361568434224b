import { expect, test } from 'vitest'
import { courseRules } from '../../functions/courses/domain/course.ts'
import { studentRules } from '../../functions/students/domain/student.ts'
import { limits, presentIds } from './links.ts'
import { messageId, reemit } from './messages.ts'
import type { Register } from './register.ts'
import { enrolmentStates } from './state.ts'
import { collectTombstones, tombstoneAge } from './tombstones.ts'

const second = 1_000_000
const links = new Map<string, Register>([
  ['late', { present: true, ts: 9 * second, origin: 'S' }],
  ['b', { present: true, ts: 4 * second, origin: 'S' }],
  ['a', { present: true, ts: 4 * second, origin: 'C' }],
  ['removed', { present: false, ts: 3 * second, origin: 'S' }],
  ['rejected', { present: false, ts: 2 * second + 1, origin: 'C', reason: 'course_full' }],
])

test('the limits are those of the domain', () => {
  expect(limits).toEqual({ student: studentRules.courses, course: courseRules.students })
})

test('presentIds go by ts, then id', () => {
  expect(presentIds(links)).toEqual(['a', 'b', 'late'])
})

test('enrolmentStates tells how far the sides agree', () => {
  expect(enrolmentStates(links, new Set(['a', 'removed', 'rejected', 'unknown']))).toEqual([
    { id: 'rejected', state: 'rejected', reason: 'course_full', since: '1970-01-01T00:00:02.000Z' },
    { id: 'a', state: 'confirmed', since: '1970-01-01T00:00:04.000Z' },
    { id: 'b', state: 'pending', since: '1970-01-01T00:00:04.000Z' },
    { id: 'late', state: 'pending', since: '1970-01-01T00:00:09.000Z' },
  ])
})

test('collectTombstones drops what is old and not present, and raises the floor over it', () => {
  const collected = collectTombstones({ links, floor: 0, now: tombstoneAge + 3000, olderThan: tombstoneAge })
  expect(collected.dropped).toEqual(['rejected'])
  expect(collected.floor).toBe(2 * second + 1)
  expect([...collected.links.keys()]).toEqual(['late', 'b', 'a', 'removed'])

  const again = collectTombstones({ ...collected, now: tombstoneAge + 3000, olderThan: tombstoneAge })
  expect([again.dropped, again.floor]).toEqual([[], collected.floor])
})

test('collectTombstones never lowers the floor', () => {
  const collected = collectTombstones({ links, floor: 8 * second, now: 20_000, olderThan: 0 })
  expect([collected.dropped.length, collected.floor]).toEqual([2, 8 * second])
})

test('reemit tells every register, from either side', () => {
  expect(reemit({ me: 'S', ownId: 's', links }).map((message) => message.course_id)).toEqual([
    'rejected',
    'removed',
    'a',
    'b',
    'late',
  ])
  expect(reemit({ me: 'C', ownId: 'c', links })[0]).toEqual({
    student_id: 'rejected',
    course_id: 'c',
    register: links.get('rejected'),
  })
})

test('messageId says everything that makes a message another one', () => {
  const message = {
    student_id: 's',
    course_id: 'c',
    register: { present: true, ts: 5, origin: 'S' },
  } as const
  expect(messageId('C', message)).toBe('C:S:s:c:5:true')
  expect(messageId('S', message, 'n1')).toBe('S:S:s:c:5:true:n1')
})
