import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { LinkMessage } from '../enrolment/messages.ts'
import { linkMessage } from '../enrolment/messages.ts'
import type { OutboxEntry } from './aggregate.ts'
import { Relay } from './relay.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** An outbox that holds what could not be told, with a cache that is away until it is said to be there. */
class Store {
  readonly #left = new Map<string, { readonly entry: OutboxEntry; readonly since: number }>()
  away = true
  brokerAway = false
  announced = 0
  readonly relay = new Relay({
    side: 'S',
    cache: {
      invalidate: async () => {
        if (this.away) throw new Error('away')
      },
    } as never,
    events: {
      announce: async () => {
        this.announced++
        if (this.brokerAway) throw new Error('away')
      },
    } as never,
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

  async commit(id: string, links: readonly LinkMessage[] = []): Promise<void> {
    const entry = { id, kind: 'mutation', subject: 'x', links, stale: ['list'], traceparent: '' } as const
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

test('a broker that is back is told at once again, also by who commits all the time', async () => {
  const store = new Store()
  store.away = false
  store.brokerAway = true
  const links = [linkMessage('S', 'a', 'b', { present: true, ts: 1, origin: 'S' })]
  await store.commit('one', links)
  expect(store.announced).toBe(1)
  store.brokerAway = false
  for (let n = 0; n < 4; n++) {
    await vi.advanceTimersByTimeAsync(400)
    await store.commit(`more ${n}`, links)
  }
  // For a second nobody waits for it; then it is asked again.
  expect(store.announced).toBe(3)
})
