import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KeyAuth } from './auth.ts'
import { takeMembers } from './body-key.ts'

const names = ['x-api-key', 'apikey']
const take = (text: string): [string | undefined, string] => {
  const { key, body } = takeMembers(Buffer.from(text), names) ?? { key: undefined, body: 'no object' }
  return [key, body.toString()]
}

describe('the key in a body', () => {
  test.each([
    ['{"apikey":"k","name":"Ann"}', 'k', '{"name":"Ann"}'],
    ['{"name":"Ann","x-api-key":"k"}', 'k', '{"name":"Ann"}'],
    ['{"a":1, "apikey" : "k" , "b":2}', 'k', '{"a":1, "b":2}'],
    ['{"apikey":"k"}', 'k', '{}'],
    [' {\n"apikey":"k"\n}\n', 'k', ' {}\n'],
    ['{"api\\u006bey":"k","b":2}', 'k', '{"b":2}'],
    ['{"apikey":"one","apikey":"two","b":2}', 'two', '{"b":2}'],
    ['\ufeff{"apikey":"k","b":"ü"}', 'k', '\ufeff{"b":"ü"}'],
    ['{"apikey":7,"b":2}', undefined, '{"b":2}'],
    ['{"apikey":{"a":["}",","]},"b":"\\"}"}', undefined, '{"b":"\\"}"}'],
  ])('is taken out of %s', (text, key, rest) => {
    expect(take(text)).toEqual([key, rest])
  })

  test.each(['{"big":12345678901234567890,"b":1.0e400,"b":1.0e400}', '{"nested":{"apikey":"k"}}', '{}'])(
    'leaves %j as it is',
    (text) => {
      expect(take(text)).toEqual([undefined, text])
    },
  )

  test.each(['["apikey"]', '"apikey"', '{"apikey":"k"', '{"a":1}}', '\ufeff["apikey"]', ''])(
    'knows that %j is no object',
    (text) => {
      expect(takeMembers(Buffer.from(text), names)).toBeUndefined()
    },
  )

  test('leaves every other byte alone, numbers beyond a double and broken UTF-8 included', () => {
    const odd = Buffer.concat([
      Buffer.from('{"n":1e999,"s":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('","apikey":"k"}'),
    ])
    const taken = takeMembers(odd, names)
    expect(taken?.key).toBe('k')
    expect(taken?.body).toEqual(Buffer.concat([odd.subarray(0, 18), Buffer.from('"}')]))
  })

  test('gives what parsing, deleting and writing gives', () => {
    const value = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.jsonValue())
    const layout = fc.constantFrom(undefined, ' ', '\t', '\n  ')
    fc.assert(
      fc.property(value, layout, (object, space) => {
        const taken = takeMembers(Buffer.from(JSON.stringify(object, undefined, space)), names)
        const rest = Object.entries(object).filter(([name]) => !names.includes(name))
        expect(JSON.parse(String(taken?.body))).toEqual(JSON.parse(JSON.stringify(Object.fromEntries(rest))))
      }),
    )
  })
})

describe('a key that a header had too', () => {
  const auth = new KeyAuth('k+y', names)
  const shown = (text: string, json: boolean): string =>
    auth.fromBody(Buffer.from(text), { json, sent: 'k+y' }).body.toString()

  test.each([
    ['{"apikey":"k+y","name":"Ann"}', true, '{"name":"Ann"}'],
    ['{"apikey":"k+y","name":"ü"', true, '{"apikey":"***","name":"ü"'],
    ['[{"apikey":"k+y"},"k+y"]', true, '[{"apikey":"***"},"***"]'],
    ['{"apikey":"k+y"}', false, '{"apikey":"***"}'],
    ['apikey=k+y&a=b', false, 'apikey=***&a=b'],
    ['', false, ''],
  ])('is not shown in %s (JSON: %j)', (text, json, rest) => {
    expect(shown(text, json)).toBe(rest)
  })

  test('stays in an object under a name that is not its own: that is data', () => {
    expect(shown('{"name":"k+y"}', true)).toBe('{"name":"k+y"}')
  })
})
