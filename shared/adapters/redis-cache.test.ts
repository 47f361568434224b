import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { redisSubject } from '../testing/cache-contract/redis-subject.ts'
import { cacheContract } from '../testing/cache-contract.ts'
import { redisUrl } from '../testing/engines.ts'
import { noLeakedConnection } from '../testing/mongo.ts'
import { RedisCache } from './redis-cache.ts'

noLeakedConnection()

cacheContract('the cache on Redis', redisSubject)

it('reads of one turn of the event loop are one command, in which each key is once', async () => {
  const service = `turn-${randomBytes(6).toString('hex')}`
  const redis = new Redis(redisUrl())
  const monitor = await redis.monitor()
  const commands: string[][] = []
  monitor.on('monitor', (_time, args: string[]) => {
    if (args.some((arg) => arg.includes(service))) commands.push(args)
  })
  await using cache = new RedisCache({ url: redisUrl(), service })
  await Promise.all([
    ...Array.from({ length: 20 }, () => cache.read('one', 'v')),
    ...Array.from({ length: 20 }, () => cache.read('other', 'v')),
  ])
  await cache.read('one', 'v')
  await expect.poll(() => commands.length).toBe(2)
  expect(commands.map(([command, ...keys]) => [command?.toLowerCase(), keys.length])).toEqual([
    ['mget', 4],
    ['mget', 2],
  ])
  monitor.disconnect()
  redis.disconnect()
})

it('keeps nothing in another database than its URL names', async () => {
  const service = `database-${randomBytes(6).toString('hex')}`
  const url = new URL(redisUrl())
  url.pathname = '/9999'
  await using cache = new RedisCache({ url: url.href, service })
  await expect(cache.generation('id:1')).rejects.toThrow()
  await expect(cache.read('id:1', '')).rejects.toThrow()
  const redis = new Redis(redisUrl())
  expect(await redis.keys(`c?:${service}:*`)).toEqual([])
  redis.disconnect()
})
