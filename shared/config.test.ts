import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

test('keeps streams on one server unless told, and on as many as JetStream can', () => {
  expect(new Config({}).streamReplicas()).toBe(1)
  expect(new Config({ STREAM_REPLICAS: '3' }).streamReplicas()).toBe(3)
  for (const STREAM_REPLICAS of ['0', '6', 'three'])
    expect(() => new Config({ STREAM_REPLICAS }).streamReplicas()).toThrow(/STREAM_REPLICAS is not a whole/)
})

test('takes a URL that the environment does not have from the file of its secret', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'registrar-secrets-'))
  await writeFile(join(folder, 'registrar-cache'), 'redis://in-file\n')
  const cache = (variables: Record<string, string>) =>
    new Config(variables, { secrets: folder }).serviceUrl('CACHE_URL', ['redis']).url
  expect(cache({})).toBe('redis://in-file')
  expect(cache({ CACHE_URL: 'redis://in-environment' })).toBe('redis://in-environment')
  expect(() => new Config({}, { secrets: folder }).serviceUrl('EVENTS_URL', ['nats'])).toThrow(
    /EVENTS_URL is not set/,
  )
})
