import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type EngineOptions, freePort, type RunningEngine } from './engine.ts'
import { onPath } from './find.ts'
import { startNats } from './nats.ts'
import { startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'

vi.setConfig({ testTimeout: 180_000 })

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'engines-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true, force: true })
})

const engines: [string, (options: EngineOptions) => Promise<RunningEngine>][] = [
  ['Postgres', startPostgres],
  ['Redis', startRedis],
  ['NATS', startNats],
]

test.each(engines)('%s listens on loopback alone and shows no password', async (_, start) => {
  await using engine = await start({ dir, password: 'a-secret-of-the-test' })
  expect(new URL(engine.url).hostname).toBe('127.0.0.1')
  expect(addresses(engine.port)).toEqual(['0100007F'])
  expect(readFileSync(`/proc/${engine.pid}/cmdline`, 'latin1')).not.toContain('a-secret')
  expect(readFileSync(`/proc/${engine.pid}/environ`, 'latin1')).not.toContain('a-secret')
})

test.each(engines)('%s comes back on its port after SIGKILL', async (_, start) => {
  const first = await start({ dir, password: 'secret' })
  process.kill(first.pid, 'SIGKILL')
  await first.exited
  let second: RunningEngine | undefined
  await vi.waitFor(
    async () => {
      second = await start({ dir, password: 'secret', port: first.port })
    },
    { timeout: 40_000, interval: 100 },
  )
  expect(second?.url).toBe(first.url)
  await second?.stop()
})

test.each(engines)('%s says why it does not start', async (_, start) => {
  await using other = await startRedis({ dir: join(dir, 'other'), password: 'secret' })
  await expect(start({ dir: join(dir, 'own'), password: 'secret', port: other.port })).rejects.toThrow(
    /ended at its start: .*\w/,
  )
})

test('data of another Postgres are told of, and left alone', async () => {
  mkdirSync(join(dir, 'data'))
  writeFileSync(join(dir, 'data/PG_VERSION'), '12\n')
  await expect(startPostgres({ dir, password: 'secret' })).rejects.toThrow(
    /^the data are those of Postgres 12, and Postgres \d\d is here: bring the other back \(npm ci\), or set DATA_DIR/,
  )
  expect(readdirSync(join(dir, 'data'))).toEqual(['PG_VERSION'])
})

describe('without redis-server', () => {
  test('js-redis-server stands in, on loopback and with a password', async () => {
    withoutCommand('redis-server')
    await using engine = await startRedis({ dir, password: 'secret' })
    expect(engine.log).toContain('js-redis-server')
    expect(addresses(engine.port)).toEqual(['0100007F'])
    const redis = new Redis(engine.url, { lazyConnect: true, retryStrategy: () => null })
    redis.on('error', () => {})
    await redis.set('a', '1', 'PX', 60_000, 'NX')
    expect(await redis.get('a')).toBe('1')
    redis.disconnect()
    const stranger = new Redis(engine.url.replace('secret', 'wrong'), {
      lazyConnect: true,
      retryStrategy: () => null,
    })
    stranger.on('error', () => {})
    await expect(stranger.get('a')).rejects.toThrow()
    stranger.disconnect()
  })
})

test('a start can be given up', async () => {
  const port = await freePort()
  await expect(startNats({ dir, password: 'secret', port, signal: AbortSignal.abort() })).rejects.toThrow()
  expect(addresses(port)).toEqual([])
})

/** Takes the folders out of the PATH that hold a command. */
function withoutCommand(command: string): void {
  const dirs = (process.env['PATH'] ?? '').split(delimiter)
  const found = onPath(command)
  if (found) vi.stubEnv('PATH', dirs.filter((one) => one !== dirname(found)).join(delimiter))
  if (onPath(command)) withoutCommand(command)
}

/** Local addresses that listen on a port, as /proc has them. */
function addresses(port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = '', , state]) => local.endsWith(`:${hex}`) && state === '0A')
      .map(([, local = '']) => local.split(':')[0] ?? ''),
  )
}
