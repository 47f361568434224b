import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Api, expectProblem } from './expect.ts'
import { courses } from './services.ts'
import type { Target } from './target.ts'

/** Free JSON comes back as it was sent, or is refused with pointers to what no document store can keep. */
export function attributes(target: () => Target): void {
  describe('attributes', () => {
    const api = () => new Api(target(), courses)
    const body = (json: string): string =>
      JSON.stringify(courses.make({ attributes: 0 })).replace(':0', () => `:${json}`)

    async function refused(json: string, pointers: readonly string[]): Promise<void> {
      expectProblem(await api().post(body(json)), 'invalid', pointers)
    }

    /** The very text that comes back. */
    async function kept(json: string): Promise<string> {
      const reply = await api().post(body(json))
      expect(reply.status, reply.text).toBe(201)
      const got = await api().get(`/${reply.id}`)
      expect(got.text).toBe(reply.text)
      return JSON.stringify(got.one['attributes'])
    }

    it('come back as they were sent', async () => {
      const key = fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
        .filter((one) => !one.startsWith('$') && !/[.\0]/.test(one))
      const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((one) => !one.includes('\0'))
      const number = fc.oneof(
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
      )
      const leaf = fc.oneof(text, number, fc.boolean(), fc.constant(null))
      const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
        tree: fc.oneof(
          { maxDepth: 5, withCrossShrink: true },
          leaf,
          fc.array(tie('tree'), { maxLength: 4 }),
          fc.dictionary(key, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
        ),
      }))
      const any = fc.dictionary(key, tree, { maxKeys: 5, noNullPrototype: true })
      await fc.assert(
        fc.asyncProperty(any, async (value) => {
          expect(JSON.parse(await kept(JSON.stringify(value)))).toStrictEqual(
            JSON.parse(JSON.stringify(value)),
          )
        }),
        { numRuns: 60 },
      )
    })

    it('keep the order of their keys, and whatever else JavaScript would have its way with', async () => {
      for (const json of [
        '{"z":1,"a":2,"m":{"y":1,"b":2}}',
        '{"__proto__":{"x":1},"constructor":{"prototype":{"y":2}},"toString":1,"hasOwnProperty":null}',
        '{"a$$":"$&","a b":"","😀":["\\u2028"," x ","e\u0301"],"-1":-1.5e-7}',
        '{"deep":{"a":{"b":{"c":{"d":{"e":{"f":1}}}}}},"list":[[[[[[[]]]]]]]}',
        '{"toJSON":"x","length":-1,"then":true}',
      ]) {
        expect(await kept(json)).toBe(JSON.stringify(JSON.parse(json)))
      }
      expect('x' in {}).toBe(false)
    })

    it('are shown in the order in which they were sent last', async () => {
      const fields = courses.make({ attributes: { b: 1, a: { d: 2, c: 3 } } })
      const { id } = await api().post(fields)
      // Nothing else is changed.
      const replaced = await api().put(id, { ...fields, attributes: { a: { c: 3, d: 2 }, b: 1 } })
      expect(JSON.stringify(replaced.one['attributes'])).toBe('{"a":{"c":3,"d":2},"b":1}')
      expect((await api().get(`/${id}`)).text).toBe(replaced.text)
    })

    it('refuse keys that a document store cannot address, at any depth', async () => {
      await refused('{"":1,"$a":1,"a.b":1,"n\\u0000":1,"ok":{"x":[{"$y":1},{"":2}]},"\\ud800":1}', [
        '/attributes/',
        '/attributes/$a',
        '/attributes/a.b',
        '/attributes/n\0',
        '/attributes/ok/x/0/$y',
        '/attributes/ok/x/1/',
        '/attributes/\ud800',
      ])
      await refused('{"a/b":{"~":{"$":1}}}', ['/attributes/a~1b/~0/$'])
    })

    it('refuse NUL and halves of surrogate pairs in strings', async () => {
      await refused('{"a":"x\\u0000","b":["\\udc00",{"c":"\\ud83d"}],"d":"\\ud83d\\ude00\\t"}', [
        '/attributes/a',
        '/attributes/b/0',
        '/attributes/b/1/c',
      ])
    })

    it('refuse numbers that a double cannot hold, at any depth', async () => {
      const unsafe = [
        '1e400',
        '-1e400',
        '1e-400',
        '9007199254740993',
        '12345678901234567890',
        '0.1234567890123456789',
        '1.00000000000000001',
      ]
      await refused(`{"a":[${unsafe.join()}],"b":{"c":[{"d":1e999}]}}`, [
        ...unsafe.map((_, i) => `/attributes/a/${i}`),
        '/attributes/b/c/0/d',
      ])
      const safe = [
        '9007199254740991',
        '9007199254740992',
        '1e21',
        '1.0',
        '-0.0',
        '0e5',
        '1E+2',
        '0.1',
        '5e-324',
        '1.7976931348623157e308',
        '100000000000000000000',
      ]
      const json = await kept(`{"a":[${safe.join()}]}`)
      expect(JSON.parse(json)).toEqual({ a: safe.map((one) => Number(one) + 0) })
    })

    it('have 8 levels and no more', async () => {
      const nested = (levels: number): string => `${'{"a":'.repeat(levels)}0${'}'.repeat(levels)}`
      const listed = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
      for (const make of [nested, listed]) {
        await kept(make(8))
        for (const levels of [9, 65, 5000]) await refused(make(levels), ['/attributes'])
      }
    })

    it('take 16 KB of JSON and no byte more', async () => {
      const sized = (bytes: number): string => `{"é":"${'x'.repeat(bytes - '{"é":""}'.length - 1)}"}`
      expect(Buffer.byteLength(sized(16 * 1024))).toBe(16 * 1024)
      await kept(sized(16 * 1024))
      await kept(sized(16 * 1024).replace(':', ' :  '))
      await refused(sized(16 * 1024 + 1), ['/attributes'])
    })

    it('are an object', async () => {
      for (const json of ['null', '[]', '"x"', '1', '1e999', 'true']) await refused(json, ['/attributes'])
    })

    it('are not changed by the same values, whatever their spelling', async () => {
      const created = await api().create({ attributes: { a: 0, b: [1.5] } })
      const patched = await api().patch(created.id, '{"attributes":{"a":-0.0,"b":[15e-1]}}')
      expect([patched.etag, patched.one]).toEqual([created.etag, created.one])
    })
  })
}
