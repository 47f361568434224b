import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson, survives, UnsafeNumber } from './json.ts'

const parse = (text: string): unknown => parseJson(Buffer.from(text))

describe('parseJson', () => {
  it('gives what JSON.parse gives, for every value that is made of doubles', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        expect(parse(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('never gives -0, which would not come back', () => {
    for (const text of ['-0', '[-0]', '{"a":-0.0}', '-0e5'])
      expect(JSON.stringify(parse(text))).not.toContain('-')
    expect(Object.is(parse('-0'), 0)).toBe(true)
    expect(parse('-0.5')).toBe(-0.5)
  })

  it('leaves a mark where a number would change, at any nesting', () => {
    expect(parse('{"a":[1e400,{"b":9007199254740993}],"c":1}')).toEqual({
      a: [new UnsafeNumber('1e400'), { b: new UnsafeNumber('9007199254740993') }],
      c: 1,
    })
    const nested = (inside: string): string => `${'['.repeat(1000)}${inside}${']'.repeat(1000)}`
    expect(String(parse(nested('1e999')))).not.toBe(String(parse(nested('1'))))
    // However deep something else is that nobody looks at.
    expect(parse(`{"id":${'['.repeat(900)}1${']'.repeat(900)},"a":9007199254740993}`)).toHaveProperty(
      'a',
      new UnsafeNumber('9007199254740993'),
    )
  })

  it('does not take digits within a string for a number', () => {
    expect(parse('{"a":"12345678901234567890 1e999"}')).toEqual({ a: '12345678901234567890 1e999' })
  })

  it('withstands nesting that would overflow a stack', () => {
    const deep = (inside: string): string => `${'['.repeat(30_000)}${inside}${']'.repeat(30_000)}`
    expect(() => parse(deep('1e999'))).toThrow('a number that a double does not hold')
    expect(() => parse(deep('"1e999 \\" 1e999"'))).not.toThrow()
    expect(() => parse(deep('1'))).not.toThrow()
    expect(() => parse(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`)).not.toThrow()
    expect(() => parse(deep('1').slice(0, -1))).toThrow('not valid JSON')
  })

  it('refuses invalid UTF-8', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc3],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
    ]) {
      expect(() => parseJson(Uint8Array.from(bytes))).toThrow('not valid UTF-8')
    }
  })
})

describe('survives', () => {
  it('is true for every double in its shortest spelling, and for others of the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(survives(String(value), value)).toBe(true)
        expect(survives(value.toExponential(), value)).toBe(true)
      }),
    )
    for (const [text, value] of [
      ['1.0', 1],
      ['10e-1', 1],
      ['0.10', 0.1],
      ['1E+2', 100],
      ['-0.0e9', 0],
    ] as const) {
      expect(survives(text, value)).toBe(true)
    }
  })

  it('is false where digits are lost', () => {
    for (const text of ['9007199254740993', '0.1000000000000000001', '1e309', '1e-324', '4.9e-324000']) {
      expect(survives(text, Number(text)), text).toBe(false)
    }
  })

  it('is true just for integers that BigInt and Number agree on', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (value) => {
        const shortest =
          BigInt(Number(value)) === value && BigInt(Number(value)).toString() === digits(Number(value))
        expect(survives(String(value), Number(value))).toBe(shortest)
      }),
    )
  })
})

/** An integer in the digits of its shortest spelling, written out. */
function digits(value: number): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d)(?:\.(\d+))?e\+?(\d+)$/.exec(value.toExponential()) ?? []
  return value === 0 ? '0' : `${sign}${(whole + fraction).padEnd(Number(exponent) + 1, '0')}`
}
