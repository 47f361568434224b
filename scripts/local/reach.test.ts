import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { natsUrl, postgresUrl, redisUrl } from '../../shared/testing/engines.ts'
import { describeMongo, testMongo } from '../../shared/testing/mongo.ts'
import { checkUrl } from './reach.ts'

const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())

/** `host:port` by the name of who is there. */
const hosts: Record<string, string> = {}
beforeAll(async () => {
  const hostOf = (url: string): string => new URL(url).host
  const own = async (server: Server): Promise<string> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    stack.defer(() => void server.close())
    // Of a server that listens on a port.
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  Object.assign(hosts, {
    Postgres: hostOf(postgresUrl()),
    Redis: hostOf(redisUrl()),
    NATS: hostOf(natsUrl()),
    web: await own(createHttpServer((_, response) => response.end())),
    silent: await own(createServer((socket) => socket.on('error', () => {}))),
    curt: await own(createServer((socket) => socket.destroy())),
  })
})

describe('a server that the user brings along', () => {
  test.each([
    ['STUDENTS_URL', 'postgres', 'Postgres'],
    ['COURSES_URL', 'postgresql', 'Postgres'],
    ['COURSES_URL', 'mongodb', 'MongoDB'],
    ['CACHE_URL', 'redis', 'Redis'],
    ['CACHE_URL', 'rediss', 'Redis'],
    ['EVENTS_URL', 'nats', 'NATS'],
    ['EVENTS_URL', 'tls', 'NATS'],
  ] as const)('%s=%s:// is refused where none such answers, in one sentence', async (name, scheme, title) => {
    const others = Object.entries(hosts).filter(([who]) => who !== title)
    const began = performance.now()
    await Promise.all(
      others.map(async ([who, host]) => {
        const said = await checkUrl(name, `${scheme}://u:secret@${host}`).catch(String)
        expect(said, who).toBe(
          `Refusal: ${name} (${scheme}://***@${host}) cannot be used: ` +
            `no ${title} server${scheme === 'rediss' ? ' with TLS' : ''} answers there.`,
        )
      }),
    )
    // Drivers on their own would try again and again; three seconds are given to the silent.
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  test('may be one of several that are down, but of no other kind', async () => {
    const { username, password, host } = new URL(natsUrl())
    const list = (other: string): string => `nats://${username}:${password}@${other},${host}`
    await expect(checkUrl('EVENTS_URL', list('127.0.0.1:1'))).resolves.toBeUndefined()
    await expect(checkUrl('EVENTS_URL', list(hosts['web'] ?? ''))).rejects.toThrow('no NATS server')
  })

  test('has the database that the URL names, and speaks TLS where it says so', async () => {
    const { host } = new URL(natsUrl())
    const nowhere = new URL(redisUrl())
    nowhere.pathname = '/9999'
    await expect(checkUrl('CACHE_URL', nowhere.href)).rejects.toThrow(
      /CACHE_URL .*: ERR DB index is out of range\.$/,
    )
    await expect(checkUrl('EVENTS_URL', `tls://u:secret@${host}`)).rejects.toThrow(
      /^EVENTS_URL \(tls:\/\/\*\*\*@\S+\) cannot be used: it does not speak TLS\.$/,
    )
  })

  test('is quoted where it refuses', async () => {
    const { host } = new URL(postgresUrl())
    await expect(checkUrl('STUDENTS_URL', `postgres://nobody:secret@${host}/d`)).rejects.toThrow(
      /^STUDENTS_URL \(postgres:\/\/\*\*\*@\S+\) cannot be used: [^\n]*"nobody"[^\n]*\.$/,
    )
  })
})

await describeMongo('a MongoDB that the user brings along', 'any', () => {
  test('is taken', async () => {
    await using mongo = await testMongo()
    await expect(checkUrl('COURSES_URL', mongo.url)).resolves.toBeUndefined()
  })
})
