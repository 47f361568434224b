import { describe, expect, test } from 'vitest'
import { readConfiguration } from './configuration.ts'
import { masked, Refusal } from './refusal.ts'

const read = (env: Record<string, string>, args: string[] = []) =>
  readConfiguration({ root: '/tree', env, args })

describe('the configuration', () => {
  test('has defaults', () => {
    const { port, dataDir, idleMs, apiKey, urls, watch } = read({ PORT: '' })
    expect({ port, dataDir, idleMs, apiKey, urls, watch }).toEqual({
      port: 8000,
      dataDir: '/tree/.registrar',
      idleMs: 30_000,
      apiKey: undefined,
      urls: {},
      watch: false,
    })
  })

  test('tells every problem at once', () => {
    const env = {
      PORT: 'eight',
      IDLE_SECONDS: '-1',
      API_KEY: 'a b',
      OWNER_PIDS: 'me',
      STUDENTS_URL: 'mysql://u:secret@h/d',
      COURSES_URL: 'nonsense',
      CACHE_URL: 'redis://',
      EVENTS_URL: 'nats://a:1,b:2',
    }
    try {
      read(env, ['--fast'])
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal)
      const { problems } = error as Refusal
      expect(problems).toHaveLength(8)
      expect(problems.join(' ')).not.toContain('secret')
    }
  })

  test.each(['65536', '-1', '1.5', '0x10', '99999999'])('refuses the port %s', (PORT) => {
    expect(() => read({ PORT })).toThrow(/PORT/)
  })

  test.each(['0', '10001', 'many'])('refuses %s messages at a time', (MAX_ACK_PENDING) => {
    expect(() => read({ MAX_ACK_PENDING })).toThrow(/MAX_ACK_PENDING .*\.$/)
  })

  test.each([
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'foo' },
      /OTEL_EXPORTER_OTLP_ENDPOINT is not a URL, http:\/\/ or https:\/\/\.$/,
    ],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'o:1' }, /OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is not a URL/],
    [
      { CACHE_URL: 'redis://u:secret@r/abc' },
      /^CACHE_URL names no database of Redis: those are whole numbers\.$/,
    ],
  ])('refuses %j, as functions would', (env, said) => {
    expect(() => read(env)).toThrow(said)
  })

  test('gives functions only what they need', () => {
    const env = {
      PATH: '/bin',
      HOME: '/root',
      SECRET: 's',
      API_KEY: 'k',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://o',
      NODE_OPTIONS: '--enable-source-maps',
      NODE_EXTRA_CA_CERTS: '/certs',
      NODE_CHANNEL_FD: '3',
    }
    expect(Object.keys(read(env).childEnv)).toEqual([
      'PATH',
      'HOME',
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'NODE_OPTIONS',
    ])
  })

  test.each([
    ['postgres://user:pa%40ss@host:5432/db?password=x', 'postgres://***@host:5432/db'],
    ['redis://:secret@host:6379', 'redis://host:6379'],
    ['nats://token@host', 'nats://***@host'],
    ['mongodb://u:p@a:1,b:2/d', 'mongodb://***@a:1,b:2/d'],
  ])('shows %s as %s', (url, shown) => {
    expect(masked(url)).toBe(shown)
  })
})
