import { expect, it } from 'vitest'
import { cacheReader } from '../../cache/reader.ts'
import type { Caches } from './world.ts'

/** A quarter of a second is the contract's; the rest is for a busy machine. */
const bound = 1000

export function outageTests(world: { caches(): Caches }): void {
  /** Every call is refused in time, and readers go to the source instead. */
  async function expectAway({ server, service, one }: Caches): Promise<void> {
    // One that has a connection, and one that is only about to have one.
    await using fresh = server.open(service)
    for (const cache of [one, fresh]) {
      const began = performance.now()
      const calls = [
        cache.invalidate(['id:1']),
        cache.generation('id:1'),
        cache.write('id:1', '', 'g', 'value'),
        cache.read('id:1', ''),
      ]
      const outcomes = await Promise.allSettled(calls)
      expect(performance.now() - began).toBeLessThan(bound)
      expect(outcomes.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'))
      const reader = cacheReader(cache)
      const asked = performance.now()
      const read = (value: string) => reader.through('id:1', '', async () => value)
      expect(await read('source')).toEqual({ value: 'source', result: 'bypass' })
      expect(await read('source, changed')).toEqual({ value: 'source, changed', result: 'bypass' })
      expect(performance.now() - asked).toBeLessThan(2 * bound)
      // A write that nobody heard of must not be taken for one that was: it is tried each time.
      await expect(cache.invalidate(['id:1'])).rejects.toThrow()
    }
  }

  async function expectBack({ one }: Caches): Promise<void> {
    const reader = cacheReader(one)
    const read = async () => (await reader.through('id:back', '', async () => 'value')).result
    await expect.poll(read, { timeout: 20_000 }).toBe('hit')
    await one.invalidate(['id:back'])
    expect(await read()).toBe('miss')
  }

  it('a server that hangs keeps nobody waiting, and is used again when it answers', async () => {
    const caches = world.caches()
    await caches.one.write('id:1', '', await caches.one.generation('id:1'), 'value')
    caches.server.pause()
    try {
      await expectAway(caches)
    } finally {
      caches.server.resume()
    }
    await expectBack(caches)
  })

  it('a server that is gone keeps nobody waiting, and is empty when it is back', async () => {
    const caches = world.caches()
    await caches.one.write('id:1', '', await caches.one.generation('id:1'), 'old')
    await caches.server.kill()
    await expectAway(caches)
    await caches.server.restart()
    await expectBack(caches)
    expect(await caches.one.read('id:1', '')).toEqual({})
  })
}
