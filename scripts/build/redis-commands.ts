import { readFile } from 'node:fs/promises'
import type { Plugin } from 'esbuild'

/** What RedisCache calls, and what ioredis calls by itself. */
const used: ReadonlySet<string> = new Set([
  ...['mget', 'get', 'set', 'del'],
  ...['auth', 'client', 'hello', 'info', 'ping', 'quit', 'readonly', 'select', 'multi', 'exec'],
  ...['subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe', 'punsubscribe', 'sunsubscribe', 'asking'],
])

/**
 * ioredis makes two methods for each of Redis' some 250 commands when it is loaded: a tenth of a cold start, and ten
 * megabytes. A bundle has those that are used.
 */
export const redisCommands: Plugin = {
  name: 'redis commands',
  setup(setup) {
    setup.onLoad({ filter: /@ioredis[\\/]commands[\\/]built[\\/]commands\.json$/ }, async ({ path }) => {
      const all: Readonly<Record<string, unknown>> = JSON.parse(await readFile(path, 'utf8'))
      const kept = Object.entries(all).filter(([command]) => used.has(command))
      return { contents: JSON.stringify(Object.fromEntries(kept)), loader: 'json' }
    })
  },
}
