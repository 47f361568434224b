import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { OutboxEntry } from './aggregate.ts'
import { Relay } from './relay.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** An outbox that holds what could not be told, with a cache that is away until it is said to be there. */
class Store {
  readonly #left = new Map<string, { readonly entry: OutboxEntry; readonly since: number }>()
  away = true
  readonly relay = new Relay({
    side: 'S',
    cache: {
      invalidate: async () => {
        if (this.away) throw new Error('away')
      },
    } as never,
    events: {} as never,
    outbox: {
      settled: async (entries: readonly OutboxEntry[]) => {
        for (const { id } of entries) this.#left.delete(id)
      },
      sweep: async (age: number, _: number, tell: (entry: OutboxEntry) => Promise<void>) => {
        let settled = 0
        for (const { entry, since } of this.#left.values()) {
          if (Date.now() - since < age) continue
          await tell(entry)
          this.#left.delete(entry.id)
          settled++
        }
        return { settled, oldest: 0 }
      },
    } as never,
  })

  async commit(id: string): Promise<void> {
    const entry = { id, kind: 'mutation', subject: 'x', links: [], stale: ['list'], traceparent: '' } as const
    this.#left.set(id, { entry, since: Date.now() })
    await this.relay.afterCommit(entry)
  }

  get left(): string[] {
    return [...this.#left.keys()]
  }
}

test('what could not be told is told by the same instance, also when it came shortly before its sweep', async () => {
  const store = new Store()
  await store.commit('one')
  await vi.advanceTimersByTimeAsync(5500)
  await store.commit('two')
  expect(store.left).toEqual(['one', 'two'])
  store.away = false
  await vi.advanceTimersByTimeAsync(600)
  expect(store.left).toEqual(['two'])
  await vi.advanceTimersByTimeAsync(6000)
  expect(store.left).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

test('it goes on until it can', async () => {
  const store = new Store()
  await store.commit('one')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(store.left).toEqual(['one'])
  store.away = false
  await vi.advanceTimersByTimeAsync(6000)
  expect(store.left).toEqual([])
})
