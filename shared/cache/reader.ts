import { log } from '../log.ts'
import type { CacheReader } from '../middleware/caching.ts'
import type { CacheResult } from '../tallies.ts'
import type { Cache } from './cache.ts'

/**
 * Cache-aside over generations. Readers of one value under one generation share one load; a reader that began after a
 * write sees another generation, so it never shares a load that began before.
 */
export function cacheReader(cache: Cache): CacheReader {
  const flights = new Map<string, Promise<string>>()

  function fly(
    namespace: string,
    variant: string,
    generation: string,
    load: () => Promise<string>,
  ): Promise<string> {
    const key = `${namespace}\n${variant}\n${generation}`
    const shared = flights.get(key)
    if (shared) return shared
    const flight = load()
      .then((value) => {
        cache.write(namespace, variant, generation, value).catch(ignore)
        return value
      })
      .finally(() => flights.delete(key))
    flights.set(key, flight)
    return flight
  }

  return {
    async through(namespace, variant, load): Promise<{ value: string; result: CacheResult }> {
      let generation: string
      try {
        const found = await cache.read(namespace, variant)
        if (found.value !== undefined) return { value: found.value, result: 'hit' }
        generation = found.generation ?? (await cache.generation(namespace))
      } catch (error) {
        ignore(error)
        return { value: await load(), result: 'bypass' }
      }
      return { value: await fly(namespace, variant, generation, load), result: 'miss' }
    },
  }
}

let said = 0

/** A failing cache fails no request; it is said once a second at most. */
function ignore(error: unknown): void {
  const now = Date.now()
  if (now - said < 1000) return
  said = now
  log('warn', {
    message: 'the cache is not available',
    error: error instanceof Error ? error.message : 'unknown',
  })
}
