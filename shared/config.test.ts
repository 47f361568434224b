import { expect, test } from 'vitest'
import { Config, ConfigurationError } from './config.ts'

test('takes a URL of one of the schemes, a list of hosts included, as it is', () => {
  for (const url of ['mongodb://a:1,b:2/d?replicaSet=r', 'mongodb://u:p@a/d', 'postgres://a/d']) {
    expect(new Config({ X: url }).serviceUrl('X', ['mongodb', 'postgres']).url).toBe(url)
  }
})

test('says what is wrong without the value, which may hold a password', () => {
  for (const [url, said] of [
    [undefined, /X is not set/],
    ['secret', /X is not a URL, redis:\/\//],
    ['http://u:secret@host', /X is not a URL, redis:\/\//],
  ] as const) {
    const read = () => new Config({ X: url }).serviceUrl('X', ['redis'])
    expect(read).toThrow(ConfigurationError)
    expect(read).toThrow(said)
    expect(read).not.toThrow(/secret/)
  }
})

test('refuses a number that is none, or out of its range', () => {
  for (const PORT of ['x', '-1', '65536', '1.5'])
    expect(() => new Config({ PORT }).listen()).toThrow(/PORT is not a whole number/)
  expect(new Config({}).listen()).toEqual({ host: undefined, port: 8080 })
})
