import { text } from 'node:stream/consumers'
import { createRedisCommandExecutor, RedisServerState, Resp2Server } from 'js-redis-server/core'

// The process behind redis.ts where there is no redis-server. Its own CLI listens on every interface, hence this one.

process.title = 'js-redis-server'
const { port, password }: { port: number; password: string } = JSON.parse(await text(process.stdin))
const { server } = new Resp2Server({
  server: new RedisServerState({ databaseCount: 16, requirepass: password }),
  executor: createRedisCommandExecutor({}),
})
server.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
server.listen(port, '127.0.0.1', () => console.log('Ready to accept connections'))
process.on('SIGTERM', () => process.exit(0))
