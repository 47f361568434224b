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

test('knows what a database of Redis and a receiver of OTLP can be', () => {
  const cache = (CACHE_URL: string) =>
    new Config({ CACHE_URL }).serviceUrl('CACHE_URL', ['redis', 'rediss']).url
  for (const path of ['', '/', '/0', '/15', '/3?family=6'])
    expect(cache(`redis://a:1${path}`)).toBe(`redis://a:1${path}`)
  for (const path of ['/abc', '/1.5', '/-1', '/1/2'])
    expect(() => cache(`rediss://u:secret@a:1${path}`), path).toThrow(
      /CACHE_URL names no database of Redis: those are whole numbers$/,
    )
  const endpoint = (value: string) => new Config({ OTEL_EXPORTER_OTLP_ENDPOINT: value }).otlpEndpoint()
  expect([endpoint(''), endpoint('http://o:4318')]).toEqual([undefined, 'http://o:4318'])
  for (const value of ['foo', 'localhost:4318', 'grpc://o'])
    expect(() => endpoint(value), value).toThrow(
      /OTEL_EXPORTER_OTLP_ENDPOINT is not a URL, http:\/\/ or https:\/\//,
    )
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
