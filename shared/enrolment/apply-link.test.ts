import { describe, expect, test } from 'vitest'
import { applyLink } from './apply-link.ts'
import type { Register } from './register.ts'

const reasons = { S: ['student_not_found', 'student_full'], C: ['course_not_found', 'course_full'] } as const

describe.each(['S', 'C'] as const)('applyLink at %s', (me) => {
  const from = me === 'S' ? 'C' : 'S'
  const add: Register = { present: true, ts: 5, origin: from }
  const own = { me, ownId: 'own', otherId: 'other', now: 1, limit: 2 }
  const holding = (register?: Register, others = 0) => ({
    links: new Map<string, Register>([
      ...(register ? [['other', register] as const] : []),
      ...Array.from({ length: others }, (_, n) => [`x${n}`, { ...add, ts: 1 }] as const),
    ]),
    floor: 0,
  })

  test('gives its own reasons', () => {
    const [notFound, full] = reasons[me]
    const absent = applyLink({ ...own, aggregate: undefined, message: add })
    expect(absent.reply?.link.register.reason).toBe(notFound)
    const rejected = applyLink({ ...own, aggregate: holding(undefined, 2), message: add })
    expect(rejected.changed?.reason).toBe(full)
  })

  test('takes an add up to the limit', () => {
    expect(applyLink({ ...own, aggregate: holding(undefined, 1), message: add }).effect).toBe('adopted')
  })

  test('takes an add over a present link without counting', () => {
    const aggregate = holding({ ...add, ts: 4 }, 2)
    expect(applyLink({ ...own, aggregate, message: add })).toEqual({ effect: 'adopted', changed: add })
  })

  test('drops what it has, and what is older but says the same', () => {
    expect(applyLink({ ...own, aggregate: holding(add), message: add })).toEqual({ effect: 'dropped' })
    const older = { ...add, ts: 4 }
    expect(applyLink({ ...own, aggregate: holding(add), message: older })).toEqual({ effect: 'dropped' })
  })

  test('answers an older remove with its add', () => {
    const message: Register = { ...add, present: false, ts: 4 }
    expect(applyLink({ ...own, aggregate: holding(add), message }).reply?.link.register).toEqual(add)
  })

  test('keeps the reason of a compensation, and none of a present link', () => {
    const compensation: Register = { present: false, ts: 6, origin: from, reason: reasons[from][1] }
    expect(applyLink({ ...own, aggregate: holding(add), message: compensation }).changed).toEqual(
      compensation,
    )
    const odd: Register = { ...add, reason: reasons[from][1] }
    expect(applyLink({ ...own, aggregate: holding(), message: odd }).changed).toEqual(add)
  })
})
