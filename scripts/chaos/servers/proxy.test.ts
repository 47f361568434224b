import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { MongoDatabase } from '../../../shared/adapters/mongo-client.ts'
import { RedisCache } from '../../../shared/adapters/redis-cache.ts'
import { redisUrl } from '../../../shared/testing/engines.ts'
import { describeMongo, testMongo } from '../../../shared/testing/mongo.ts'
import { EngineProxy } from './proxy.ts'

let stack: AsyncDisposableStack
beforeEach(() => {
  stack = new AsyncDisposableStack()
})
afterEach(() => stack.disposeAsync())

/** A server that sends back what it gets, and a proxy before it. */
async function echo(): Promise<EngineProxy> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : ''
  return stack.use(await EngineProxy.to(`tcp://127.0.0.1:${port}`))
}

interface Caller {
  readonly socket: Socket
  heard: string
}

async function call({ url }: EngineProxy): Promise<Caller> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  stack.defer(() => void socket.destroy())
  const caller: Caller = { socket, heard: '' }
  socket.on('error', () => {})
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    caller.heard += chunk
  })
  await once(socket, 'connect')
  return caller
}

describe('a proxy', () => {
  test('passes on what is said', async () => {
    const caller = await call(await echo())
    caller.socket.write('hello')
    await expect.poll(() => caller.heard).toBe('hello')
  })

  test('cuts connections, and refuses new ones until it is released', async () => {
    const proxy = await echo()
    const caller = await call(proxy)
    proxy.cut()
    await once(caller.socket, 'close')
    // Taken by the system's own queue at most, and reset.
    const refused = connect(Number(new URL(proxy.url).port), '127.0.0.1').on('error', () => {})
    await new Promise((resolve) => refused.once('close', resolve))
    proxy.release()
    const again = await call(proxy)
    again.socket.write('again')
    await expect.poll(() => again.heard).toBe('again')
  })

  test('keeps the order of what is late, also when the delay ends in between', async () => {
    const proxy = await echo()
    const caller = await call(proxy)
    proxy.delay(150)
    caller.socket.write('one ')
    await sleep(30)
    proxy.release()
    caller.socket.write('two')
    await sleep(20)
    expect(caller.heard).toBe('')
    await expect.poll(() => caller.heard).toBe('one two')
  })

  test('leaves half of a connection open: nothing comes, and no end', async () => {
    const proxy = await echo()
    const caller = await call(proxy)
    caller.socket.write('before')
    await expect.poll(() => caller.heard).toBe('before')
    proxy.halfOpen()
    caller.socket.write('after')
    await sleep(200)
    expect([caller.heard, caller.socket.destroyed, caller.socket.readableEnded]).toEqual([
      'before',
      false,
      false,
    ])
    const other = await call(proxy)
    other.socket.write('new')
    await expect.poll(() => other.heard).toBe('new')
  })
})

test('the cache leaves a connection to a Redis that vanished without a word', async () => {
  const proxy = stack.use(await EngineProxy.to(redisUrl()))
  const cache = stack.use(new RedisCache({ url: proxy.url, service: 'proxy-test' }))
  await cache.invalidate(['list'])
  proxy.halfOpen()
  await vi.waitFor(() => cache.invalidate(['list']), { timeout: 20_000, interval: 100 })
})

await describeMongo('a MongoDB', 'any', () => {
  test('that was away when its client began is found when it is there', async () => {
    const mongo = stack.use(await testMongo())
    const proxy = stack.use(await EngineProxy.to(mongo.url))
    proxy.cut()
    const database = stack.use(new MongoDatabase({ url: proxy.url }))
    database.warm()
    const ask = (): Promise<unknown> => database.run((db) => db.command({ ping: 1 }))
    for (let times = 0; times < 2; times++) await expect(ask()).rejects.toMatchObject({ code: 'unavailable' })
    proxy.release()
    await vi.waitFor(ask, { timeout: 30_000, interval: 200 })
  }, 120_000)

  test('that vanished and then refused is found again when it is back', async () => {
    const mongo = stack.use(await testMongo())
    const proxy = stack.use(await EngineProxy.to(mongo.url))
    const database = stack.use(new MongoDatabase({ url: proxy.url }))
    const ask = (): Promise<unknown> => database.run((db) => db.collection('things').findOne({}))
    await ask()
    let busy = true
    const asking = Promise.all(
      Array.from({ length: 6 }, async () => {
        for (; busy; await sleep(30)) await ask().catch(() => {})
      }),
    )
    // When all connections break at once, the driver's monitor often waits for ever on one that is closed.
    for (let round = 0; round < 5; round++) {
      await sleep(600)
      proxy.halfOpen()
      await sleep(300)
      proxy.cut()
      await sleep(2000)
      proxy.release()
      await vi.waitFor(ask, { timeout: 30_000, interval: 200 })
    }
    busy = false
    await asking
  }, 120_000)
})
