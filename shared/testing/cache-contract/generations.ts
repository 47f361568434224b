import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Cache } from '../../cache/cache.ts'
import { cacheReader } from '../../cache/reader.ts'
import type { Caches } from './world.ts'

export function generationTests(world: { caches(): Caches }): void {
  const fill = async (cache: Cache, namespace: string, value: string): Promise<string> => {
    const generation = await cache.generation(namespace)
    await cache.write(namespace, '', generation, value)
    return generation
  }

  it('gives what was written under the generation that stands, to every process of the service', async () => {
    const { one, two, other } = world.caches()
    expect(await one.read('id:1', '')).toEqual({})
    const generation = await one.generation('id:1')
    expect(await one.read('id:1', '')).toEqual({ generation })
    const value = 'a value\nof "two" lines, é, \u0000'
    await one.write('id:1', '', generation, value)
    for (const cache of [one, two]) expect(await cache.read('id:1', '')).toEqual({ generation, value })
    expect(await one.read('id:1', 'variant')).toEqual({ generation })
    expect(await one.read('id:12', '')).toEqual({})
    expect(await other.read('id:1', '')).toEqual({})
  })

  it('keeps variants apart, and values of any length, the empty one too', async () => {
    const { one } = world.caches()
    const generation = await one.generation('list')
    const values = { a: '', b: 'x'.repeat(300_000), 'a:b': '{}' }
    for (const [variant, value] of Object.entries(values)) await one.write('list', variant, generation, value)
    for (const [variant, value] of Object.entries(values))
      expect(await one.read('list', variant)).toEqual({ generation, value })
  })

  it('forgets what it is told to, all of it and nothing else', async () => {
    const { one, two } = world.caches()
    for (const namespace of ['id:a', 'list', 'by:b', 'id:c']) await fill(one, namespace, namespace)
    await two.invalidate(['id:a', 'list', 'by:b', 'never:there'])
    for (const namespace of ['id:a', 'list', 'by:b']) expect(await one.read(namespace, '')).toEqual({})
    expect(await one.read('id:c', '')).toMatchObject({ value: 'id:c' })
    await two.invalidate([])
  })

  it('never gives what a slow reader fills in after an invalidation', async () => {
    const { one, two } = world.caches()
    const before = await one.generation('id:slow')
    await two.invalidate(['id:slow'])
    await one.write('id:slow', '', before, 'old')
    expect(await one.read('id:slow', '')).toEqual({})
    const after = await two.generation('id:slow')
    expect(after).not.toBe(before)
    expect(await one.read('id:slow', '')).toEqual({ generation: after })
    // Nor over what was filled in since.
    await two.write('id:slow', '', after, 'new')
    await one.write('id:slow', '', before, 'old')
    expect((await two.read('id:slow', '')).value).not.toBe('old')
  })

  it('makes one generation however many ask for it at once', async () => {
    const { one, two } = world.caches()
    const asked = Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two).generation('id:asked'))
    expect(new Set(await Promise.all(asked)).size).toBe(1)
  })

  it('makes another generation after one was evicted: what was filled in before is not fresh again', async () => {
    const { server, one, service } = world.caches()
    const seen = new Set<string>()
    for (let i = 0; i < 20; i++) {
      seen.add(await fill(one, 'id:evicted', `value ${i}`))
      await server.evict(service, 'id:evicted')
      expect(await one.read('id:evicted', '')).toEqual({})
      expect((await one.read('id:evicted', '')).value).toBeUndefined()
    }
    expect(seen.size).toBe(20)
  })

  it('begins anew after a flush', async () => {
    const { server, one, two } = world.caches()
    const before = await fill(one, 'id:flushed', 'old')
    await server.flush()
    expect(await one.read('id:flushed', '')).toEqual({})
    const after = await two.generation('id:flushed')
    await one.write('id:flushed', '', before, 'old')
    expect(await one.read('id:flushed', '')).toEqual({ generation: after })
  })

  it('keeps values for 270 to 300 seconds, not all for as long, and generations for longer', async () => {
    const { server, one, service } = world.caches()
    const generation = await one.generation('list')
    const left = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        await one.write('list', `${i}`, generation, 'value')
        return server.secondsLeft(service, 'list', `${i}`)
      }),
    )
    for (const { value } of left) expect(value).toBeLessThanOrEqual(300)
    // Some seconds may have gone by already.
    for (const { value } of left) expect(value).toBeGreaterThan(270 - 15)
    expect(new Set(left.map(({ value }) => value)).size).toBeGreaterThan(5)
    for (const { generation } of left) expect(generation).toBeGreaterThan(300)
  })

  it('loads once for all who ask a process at the same time', async () => {
    const { one, two } = world.caches()
    const readers = [cacheReader(one), cacheReader(two)]
    // Made before, so that all are told of it at once.
    await one.generation('id:wanted')
    let loads = 0
    const load = async (): Promise<string> => {
      loads++
      await sleep(50)
      return 'value'
    }
    const asked = readers.flatMap((reader) =>
      Array.from({ length: 50 }, () => reader.through('id:wanted', '', load)),
    )
    for (const { value } of await Promise.all(asked)) expect(value).toBe('value')
    expect(loads).toBeLessThanOrEqual(2)
  })

  it('gives no reader what was before a write that was answered before', async () => {
    const { one, two } = world.caches()
    const readers = [cacheReader(one), cacheReader(two)]
    let source = 0
    let answered = 0
    let reads = 0
    const writing = (async () => {
      for (let i = 1; i <= 150; i++) {
        source = i
        await two.invalidate(['id:race'])
        answered = i
      }
    })()
    let over = false
    const reading = Array.from({ length: 10 }, async (_, i) => {
      while (!over) {
        const least = answered
        const got = await readers[i % 2]?.through('id:race', '', async () => {
          const value = String(source)
          // Slow, so that writes come between reading and filling in.
          await sleep(i % 3)
          return value
        })
        expect(Number(got?.value)).toBeGreaterThanOrEqual(least)
        reads++
      }
    })
    await writing
    over = true
    await Promise.all(reading)
    expect(reads).toBeGreaterThan(10)
  })
}
