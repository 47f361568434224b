import { afterAll, beforeAll, describe } from 'vitest'
import { generationTests } from './cache-contract/generations.ts'
import { outageTests } from './cache-contract/outages.ts'
import type { CacheSubject } from './cache-contract/subject.ts'
import { CacheWorld } from './cache-contract/world.ts'

export type { CacheServer, CacheSubject, OpenCache } from './cache-contract/subject.ts'

/** What `Cache` promises, and what readers make of it, asked of an adapter over a real server. */
export function cacheContract(name: string, subject: CacheSubject): void {
  describe(name, () => {
    let open: CacheWorld | undefined
    beforeAll(async () => {
      open = new CacheWorld(await subject.start())
    })
    afterAll(() => open?.[Symbol.asyncDispose]())
    const world = {
      caches: () => {
        if (!open) throw new Error('the server runs only while tests do')
        return open.caches()
      },
    }
    describe('generations', () => generationTests(world))
    describe('outages', () => outageTests(world))
  })
}
