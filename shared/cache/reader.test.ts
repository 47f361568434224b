import { describe, expect, it } from 'vitest'
import type { Cache } from './cache.ts'
import { cacheReader } from './reader.ts'

/** The cache's contract in memory, with a way to fail. */
function memory() {
  const generations = new Map<string, string>()
  const values = new Map<string, { generation: string; value: string }>()
  let count = 0
  const state = { broken: false, writes: 0 }
  const check = (): void => {
    if (state.broken) throw new Error('away')
  }
  const cache: Cache = {
    async read(namespace, variant) {
      check()
      const generation = generations.get(namespace)
      const kept = values.get(`${namespace} ${variant}`)
      if (generation === undefined) return {}
      return kept?.generation === generation ? { generation, value: kept.value } : { generation }
    },
    async generation(namespace) {
      check()
      const made = generations.get(namespace) ?? String(++count)
      generations.set(namespace, made)
      return made
    },
    async write(namespace, variant, generation, value) {
      check()
      state.writes++
      values.set(`${namespace} ${variant}`, { generation, value })
    },
    async invalidate(namespaces) {
      check()
      for (const one of namespaces) generations.delete(one)
    },
  }
  return { cache, state }
}

describe('a reader through the cache', () => {
  it('loads once, and again after an invalidation', async () => {
    const { cache } = memory()
    const reader = cacheReader(cache)
    let loads = 0
    const read = () => reader.through('id:1', '', async () => `value ${++loads}`)
    expect(await read()).toEqual({ value: 'value 1', result: 'miss' })
    expect(await read()).toEqual({ value: 'value 1', result: 'hit' })
    await cache.invalidate(['id:1'])
    expect(await read()).toEqual({ value: 'value 2', result: 'miss' })
    expect(await reader.through('id:1', 'other', async () => 'else')).toEqual({
      value: 'else',
      result: 'miss',
    })
  })

  it('shares one load among those who came before a write, and with nobody who came after', async () => {
    const { cache } = memory()
    const reader = cacheReader(cache)
    const flights: ((value: string) => void)[] = []
    const read = () =>
      reader.through('id:1', '', () => new Promise<string>((resolve) => flights.push(resolve)))
    const early = [read(), read(), read()]
    await expect.poll(() => flights.length).toBe(1)
    await cache.invalidate(['id:1'])
    const late = [read(), read()]
    await expect.poll(() => flights.length).toBe(2)
    flights[1]?.('new')
    expect((await Promise.all(late)).map((one) => one.value)).toEqual(['new', 'new'])
    // The slow one ends last, and fills in what nobody will take for fresh.
    flights[0]?.('old')
    expect((await Promise.all(early)).map((one) => one.value)).toEqual(['old', 'old', 'old'])
    const again = read()
    await expect.poll(() => flights.length).toBe(3)
    flights[2]?.('newest')
    expect(await again).toEqual({ value: 'newest', result: 'miss' })
    expect(await read()).toEqual({ value: 'newest', result: 'hit' })
  })

  it('keeps nothing of a load that fails, and fails everyone who waits for it', async () => {
    const { cache, state } = memory()
    const reader = cacheReader(cache)
    let loads = 0
    const fail = () => reader.through('id:1', '', async () => Promise.reject(new Error(`broken ${++loads}`)))
    const results = await Promise.allSettled([fail(), fail()])
    expect(results.map((one) => one.status)).toEqual(['rejected', 'rejected'])
    expect([loads, state.writes]).toEqual([1, 0])
    expect(await reader.through('id:1', '', async () => 'well')).toEqual({ value: 'well', result: 'miss' })
  })

  it('goes past a cache that is away', async () => {
    const { cache, state } = memory()
    const reader = cacheReader(cache)
    state.broken = true
    expect(await reader.through('id:1', '', async () => 'value')).toEqual({
      value: 'value',
      result: 'bypass',
    })
    await expect(reader.through('id:1', '', async () => Promise.reject(new Error('source')))).rejects.toThrow(
      'source',
    )
    state.broken = false
    expect((await reader.through('id:1', '', async () => 'value')).result).toBe('miss')
  })
})
