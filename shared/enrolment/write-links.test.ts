import { describe, expect, test } from 'vitest'
import type { Register } from './register.ts'
import { deleteLinks, writeLinks } from './write-links.ts'

const own = { me: 'S', ownId: 's', floor: 0, now: 10 } as const
const links = new Map<string, Register>([
  ['kept', { present: true, ts: 1, origin: 'C' }],
  ['dropped', { present: true, ts: 20_000, origin: 'S' }],
  ['rejected', { present: false, ts: 3, origin: 'C', reason: 'course_full' }],
])

describe('writeLinks', () => {
  test('gives a register to each link that changes, and to no other', () => {
    const { changed, messages } = writeLinks({ ...own, links, wanted: ['new', 'kept'] })
    expect([...changed]).toEqual([
      ['dropped', { present: false, ts: 20_001, origin: 'S' }],
      ['new', { present: true, ts: 20_002, origin: 'S' }],
    ])
    expect(messages).toEqual([
      { student_id: 's', course_id: 'dropped', register: changed.get('dropped') },
      { student_id: 's', course_id: 'new', register: changed.get('new') },
    ])
  })

  test('changes nothing when the list is what it was, in any order', () => {
    const { changed, messages } = writeLinks({ ...own, links, wanted: ['dropped', 'kept'] })
    expect([changed.size, messages]).toEqual([0, []])
  })

  test('asks again for a rejected link, without its reason', () => {
    const { changed } = writeLinks({ ...own, links, wanted: ['kept', 'dropped', 'rejected'] })
    expect([...changed]).toEqual([['rejected', { present: true, ts: 10_000, origin: 'S' }]])
  })

  test('keeps the order of the client, also above a floor that is ahead of the clock', () => {
    const wanted = ['z', 'a', 'm']
    const { changed } = writeLinks({ ...own, links: new Map(), floor: 50_000, wanted })
    expect([...changed].map(([id, { ts }]) => [id, ts])).toEqual([
      ['z', 50_001],
      ['a', 50_002],
      ['m', 50_003],
    ])
  })

  test('names the ends by their sides', () => {
    const { messages } = writeLinks({ ...own, me: 'C', ownId: 'c', links: new Map(), wanted: ['s'] })
    expect(messages).toEqual([
      { student_id: 's', course_id: 'c', register: { present: true, ts: 10_000, origin: 'C' } },
    ])
  })
})

test('deleteLinks removes each present link', () => {
  const removed = deleteLinks({ me: 'S', ownId: 's', links, now: 10 })
  expect(removed.map(({ course_id, register }) => [course_id, register.present])).toEqual([
    ['kept', false],
    ['dropped', false],
  ])
  expect(removed[1]?.register.ts).toBeGreaterThan(20_000)
})
