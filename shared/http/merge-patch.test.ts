import fc from 'fast-check'
import { expect, it } from 'vitest'
import { UnsafeNumber } from './json.ts'
import { mergePatch } from './merge-patch.ts'

// The table of RFC 7396, appendix A.
it.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j with %j is %j', (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result)
})

it('is idempotent, and changes neither of its arguments', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
      const before = JSON.stringify([target, patch])
      const once = mergePatch(target, patch)
      expect(mergePatch(once, patch)).toEqual(once)
      expect(JSON.stringify([target, patch])).toBe(before)
    }),
  )
})

it('keeps __proto__ and constructor as data, and marks as what they are', () => {
  const patch = JSON.parse('{"__proto__":{"a":1},"constructor":{"b":2}}')
  const merged = mergePatch(JSON.parse('{"__proto__":{"c":3}}'), patch)
  expect(JSON.stringify(merged)).toBe('{"__proto__":{"c":3,"a":1},"constructor":{"b":2}}')
  expect('a' in {}).toBe(false)
  const unsafe = new UnsafeNumber('1e999')
  expect(mergePatch({}, { a: unsafe })).toEqual({ a: unsafe })
})

it('withstands any depth', () => {
  const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`)
  expect(() => mergePatch(deep, deep)).not.toThrow()
})
