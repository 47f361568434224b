import { Redis } from 'ioredis'
import postgres from 'postgres'
import { type Fault, persist, recorded, type Stage, wait } from './stage.ts'

export const redisFlush: Fault = async (stage, _, kind) => {
  await recorded(stage, kind, 'redis', () => onRedis(stage, (redis) => redis.call('FLUSHALL')))
}

/** Nothing new is taken, nothing is evicted; what is there can be read and deleted. */
export const redisFull: Fault = async (stage, random, kind) => {
  await recorded(stage, kind, 'redis', async () => {
    await onRedis(stage, async (redis) => {
      await redis.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
      await redis.call('CONFIG', 'SET', 'maxmemory', '1')
    })
    await wait(stage, random.between(1000, 6000))
    await persist(() =>
      onRedis(stage, async (redis) => {
        await redis.call('CONFIG', 'SET', 'maxmemory', '268435456')
        await redis.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
      }),
    )
  })
}

async function onRedis({ servers }: Stage, work: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(servers.get('redis').url, {
    lazyConnect: true,
    retryStrategy: () => null,
    commandTimeout: 3000,
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
    await work(redis)
  } finally {
    redis.disconnect()
  }
}

/** More than the server takes, each in use: who has none is refused. */
const tooMany = 210

export const connections: Fault = async (stage, random, kind) => {
  await recorded(stage, kind, 'postgres', async () => {
    const seconds = random.between(2, 5)
    const sql = postgres(stage.servers.get('postgres').url, {
      max: tooMany,
      onnotice: () => {},
      connect_timeout: 5,
    })
    const held = await Promise.allSettled(
      Array.from({ length: tooMany }, () => sql.unsafe(`select pg_sleep(${seconds})`)),
    )
    await sql.end({ timeout: 1 })
    return { held: held.filter(({ status }) => status === 'fulfilled').length }
  })
}

export const natsFull: Fault = async (stage, random, kind) => {
  await recorded(stage, kind, 'nats', async () => {
    await persist(() => stage.messages.setFull(true))
    await wait(stage, random.between(1000, 6000))
    await persist(() => stage.messages.setFull(false))
  })
}
