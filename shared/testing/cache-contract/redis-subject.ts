import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { RunningEngine } from '../../../scripts/engines/engine.ts'
import { startRedis } from '../../../scripts/engines/redis.ts'
import { Guardian } from '../../../scripts/local/guardian.ts'
import { RedisCache } from '../../adapters/redis-cache.ts'
import { pause, resume } from '../pausing.ts'
import type { CacheServer, CacheSubject } from './subject.ts'

export const redisSubject: CacheSubject = {
  async start(): Promise<CacheServer> {
    await using opening = new AsyncDisposableStack()
    const dir = await mkdtemp(join(tmpdir(), 'registrar-cache-'))
    opening.defer(() => rm(dir, { recursive: true, force: true }))
    const guardian = opening.use(new Guardian())
    const options = { dir, password: 'test', env: guardian.mark, onSpawn: guardian.watch.bind(guardian) }
    let engine: RunningEngine = await startRedis(options)
    opening.defer(() => engine[Symbol.asyncDispose]())
    const stack = opening.move()
    return {
      open: (service) => new RedisCache({ url: engine.url, service }),
      flush: () => rawRedis(engine.url, async (redis) => void (await redis.flushall())),
      evict: (service, namespace) =>
        rawRedis(engine.url, async (redis) => void (await redis.del(`cg:${service}:${namespace}`))),
      secondsLeft: (service, namespace, variant) =>
        rawRedis(engine.url, async (redis) => ({
          generation: await redis.ttl(`cg:${service}:${namespace}`),
          value: await redis.ttl(`cv:${service}:${namespace}:${variant}`),
        })),
      pause: () => pause(engine.pid),
      resume: () => resume(engine.pid),
      kill: () => engine.stop('SIGKILL'),
      restart: async () => {
        engine = await startRedis({ ...options, port: engine.port })
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  },
}

/** The server past the adapter. */
export async function rawRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url)
  try {
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}
