import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareRegisters,
  latestTimestamp,
  missingRegister,
  nextTimestamp,
  type Register,
} from './register.ts'

const register: fc.Arbitrary<Register> = fc.record({
  present: fc.boolean(),
  ts: fc.nat({ max: 3 }),
  origin: fc.constantFrom('', 'C', 'S', 'Z'),
})

describe('compareRegisters', () => {
  test('is a total order over ts, origin and presence', () => {
    fc.assert(
      fc.property(register, register, register, (a, b, c) => {
        expect(Math.sign(compareRegisters(a, b)) + Math.sign(compareRegisters(b, a))).toBe(0)
        if (compareRegisters(a, b) <= 0 && compareRegisters(b, c) <= 0) {
          expect(compareRegisters(a, c)).toBeLessThanOrEqual(0)
        }
        const same = a.ts === b.ts && a.origin === b.origin && a.present === b.present
        expect(compareRegisters(a, b) === 0).toBe(same)
      }),
    )
  })

  test('goes by ts, then origin, then remove over add, and never by reason', () => {
    const ascending: Register[] = [
      { present: false, ts: 1, origin: '' },
      { present: true, ts: 1, origin: 'C' },
      { present: false, ts: 1, origin: 'C' },
      { present: true, ts: 1, origin: 'S' },
      { present: false, ts: 1, origin: 'S' },
      { present: false, ts: 1, origin: 'Z' },
      { present: true, ts: 2, origin: 'C' },
    ]
    expect(ascending.toReversed().sort(compareRegisters)).toEqual(ascending)
    const plain: Register = { present: false, ts: 1, origin: 'C' }
    expect(compareRegisters(plain, { ...plain, reason: 'course_full' })).toBe(0)
  })
})

test('a missing register is the floor, or nothing at all', () => {
  expect(missingRegister(7)).toEqual({ present: false, ts: 7, origin: 'Z' })
  expect(missingRegister(0)).toEqual({ present: false, ts: 0, origin: '' })
})

describe('nextTimestamp', () => {
  test('follows the clock, or the base where that is ahead', () => {
    expect(nextTimestamp(5, 0, 0)).toBe(5000)
    expect(nextTimestamp(5, 0, 999)).toBe(5999)
    expect(nextTimestamp(5, 5000, 0)).toBe(5001)
    expect(nextTimestamp(5, 9000, 3)).toBe(9001)
    expect(nextTimestamp(6, latestTimestamp(5), 0)).toBeLessThan(latestTimestamp(6))
  })

  test.each([
    [5, 0, -1],
    [5, 0, 1000],
    [5, 0, 0.5],
    [5.0001, 0, 0],
    [Number.NaN, 0, 0],
    [5, Number.MAX_SAFE_INTEGER, 0],
    [9e12 + 1e15, 0, 0],
  ])('refuses %s ms, base %s, index %s', (now, base, index) => {
    expect(() => nextTimestamp(now, base, index)).toThrow(RangeError)
  })
})
