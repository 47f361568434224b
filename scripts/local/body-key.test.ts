import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { takeMembers } from './body-key.ts'

const names = ['x-api-key', 'apikey']
const take = (text: string): [string | undefined, string] => {
  const { key, body } = takeMembers(Buffer.from(text), names)
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
    ['{"apikey":7,"b":2}', undefined, '{"b":2}'],
    ['{"apikey":{"a":["}",","]},"b":"\\"}"}', undefined, '{"b":"\\"}"}'],
  ])('is taken out of %s', (text, key, rest) => {
    expect(take(text)).toEqual([key, rest])
  })

  test.each([
    '{"big":12345678901234567890,"b":1.0e400,"b":1.0e400}',
    '{"nested":{"apikey":"k"}}',
    '["apikey"]',
    '"apikey"',
    '{"apikey":"k"',
    '\ufeff{"apikey":"k"}',
    '',
  ])('leaves %j as it is', (text) => {
    expect(take(text)).toEqual([undefined, text])
  })

  test('leaves every other byte alone, numbers beyond a double and broken UTF-8 included', () => {
    const odd = Buffer.concat([
      Buffer.from('{"n":1e999,"s":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('","apikey":"k"}'),
    ])
    const { key, body } = takeMembers(odd, names)
    expect(key).toBe('k')
    expect(body).toEqual(Buffer.concat([odd.subarray(0, 18), Buffer.from('"}')]))
  })

  test('gives what parsing, deleting and writing gives', () => {
    const value = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.jsonValue())
    const layout = fc.constantFrom(undefined, ' ', '\t', '\n  ')
    fc.assert(
      fc.property(value, layout, (object, space) => {
        const { body } = takeMembers(Buffer.from(JSON.stringify(object, undefined, space)), names)
        const rest = Object.entries(object).filter(([name]) => !names.includes(name))
        expect(JSON.parse(body.toString())).toEqual(JSON.parse(JSON.stringify(Object.fromEntries(rest))))
      }),
    )
  })
})
