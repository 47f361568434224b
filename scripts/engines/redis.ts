import { join } from 'node:path'
import { EngineError, type EngineOptions, launch, onFreePort, type RunningEngine } from './engine.ts'
import { onPath, packageDir } from './find.ts'

/** redis-server of the PATH, else js-redis-server; either keeps nothing on disk. */
export async function startRedis(options: EngineOptions): Promise<RunningEngine> {
  const server = onPath('redis-server')
  if (!server && !packageDir('js-redis-server')) {
    throw new EngineError('there is no Redis: run npm ci, put redis-server on the PATH, or give CACHE_URL')
  }
  const { password } = options
  return onFreePort(options.port, (port) =>
    launch({
      name: server ? 'redis-server' : 'js-redis-server',
      command: server ?? process.execPath,
      args: server ? ['-'] : [join(import.meta.dirname, 'js-redis.ts')],
      // Through stdin, since arguments can be read by everyone with `ps`.
      input: server ? configuration(options, port) : JSON.stringify({ port, password }),
      options,
      stop: 'SIGTERM',
      port,
      url: (at) => `redis://:${password}@127.0.0.1:${at}`,
      ready: (log) => log.includes('Ready to accept connections'),
    }),
  )
}

function configuration({ dir, password }: EngineOptions, port: number): string {
  return `bind 127.0.0.1
port ${port}
requirepass ${password}
save ""
appendonly no
dir ${JSON.stringify(dir)}
daemonize no
maxmemory 256mb
maxmemory-policy allkeys-lru
`
}
