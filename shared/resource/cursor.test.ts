import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../errors.ts'
import { cursorScope, decodeCursor, encodeCursor } from './cursor.ts'

const scope = cursorScope('students', { sort: 'name', descending: false, filter: {} })
const text = { value: 'text', id: /^[a-z]+$/ } as const
const time = { value: 'time', id: /^[a-z]+$/ } as const

/** What anyone could make who has read the source. */
function forged(payload: string, at = scope): string {
  const checksum = createHash('sha256').update(`cursor 1\n${at}\n${payload}`).digest('base64url').slice(0, 16)
  return Buffer.from(`${checksum}${payload}`).toString('base64url')
}

function refused(cursor: string, positions: typeof text | typeof time = text, at = scope): void {
  try {
    decodeCursor(at, cursor, positions)
  } catch (error) {
    expect(error).toBeInstanceOf(Failure)
    expect(error).toMatchObject({ code: 'malformed', errors: [{ pointer: '/cursor' }] })
    return
  }
  throw new Error(`taken: ${cursor}`)
}

describe('cursors', () => {
  it('come back as the position that they were made of', () => {
    const stored = fc.string({ unit: 'grapheme' }).filter((one) => !one.includes('\0'))
    fc.assert(
      fc.property(stored, (value) => {
        expect(decodeCursor(scope, encodeCursor(scope, { value, id: 'abc' }), text)).toEqual({
          value,
          id: 'abc',
        })
      }),
    )
    const at = { value: 1_700_000_000_123, id: 'abc' }
    expect(decodeCursor(scope, encodeCursor(scope, at), time)).toEqual(at)
  })

  it('are refused when anything of them, or of their query, is another', () => {
    const cursor = encodeCursor(scope, { value: 'x', id: 'abc' })
    fc.assert(
      fc.property(fc.nat(cursor.length - 1), fc.integer({ min: 1, max: 127 }), (i, mask) => {
        const bytes = Buffer.from(cursor)
        bytes[i] = (bytes[i] ?? 0) ^ mask
        refused(bytes.toString('latin1'))
      }),
    )
    for (const other of [
      cursorScope('courses', { sort: 'name', descending: false, filter: {} }),
      cursorScope('students', { sort: 'name', descending: true, filter: {} }),
      cursorScope('students', { sort: 'last_name', descending: false, filter: {} }),
      cursorScope('students', { sort: 'name', descending: false, filter: { name: 'x' } }),
    ]) {
      refused(cursor, text, other)
    }
  })

  it('do not depend on the order of the filters', () => {
    const of = (filter: Record<string, string>) =>
      cursorScope('students', { sort: 'name', descending: false, filter })
    expect(of({ a: '1', b: '2' })).toBe(of({ b: '2', a: '1' }))
    expect(of({ a: '1', b: '2' })).not.toBe(of({ a: '2', b: '1' }))
  })

  it('are refused when they are well made but could break a query', () => {
    expect(decodeCursor(scope, forged('["x","abc"]'), text)).toEqual({ value: 'x', id: 'abc' })
    for (const payload of [
      '',
      'x',
      'null',
      '{}',
      '[]',
      '["x"]',
      '["x","abc",1]',
      '[1,"abc"]',
      '[null,"abc"]',
      '["x",1]',
      '["x","ABC"]',
      '["x\\u0000","abc"]',
      '["\\ud800","abc"]',
    ]) {
      refused(forged(payload))
    }
    for (const payload of [
      '["x","abc"]',
      '[-1,"abc"]',
      '[1.5,"abc"]',
      '[1e300,"abc"]',
      '[8640000000000001,"abc"]',
      '[null,"abc"]',
    ]) {
      refused(forged(payload), time)
    }
  })
})
