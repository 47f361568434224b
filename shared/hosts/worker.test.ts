import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Delivery } from '../worker/inbox.ts'
import { work } from './worker.ts'

const delivery = (): Delivery => ({
  payload: new Uint8Array(),
  subject: 'some.subject',
  traceparent: undefined,
  deliveries: 1,
  working() {},
  acknowledge: async () => {},
  retry: async () => {},
  bury: async () => {},
})

it.each([1, 3])('keeps to a concurrency of %i, whatever its consumer gives', async (concurrency) => {
  const stop = new AbortController()
  let [underWay, most, handled] = [0, 0, 0]
  const inbox = {
    async *messages(): AsyncIterable<Delivery> {
      for (let i = 0; i < 12; i++) yield delivery()
      stop.abort()
    },
  }
  const handler = {
    ready: async () => {},
    async handle() {
      most = Math.max(most, ++underWay)
      await sleep(5)
      underWay--
      handled++
      return 'done'
    },
  }
  await work('some/worker', inbox, handler, concurrency, stop.signal)
  expect([most, handled]).toEqual([concurrency, 12])
})

/** Delivers in the order of the stream what is not acknowledged, as JetStream does, to one worker after the other. */
it('what is delivered with a message that kills its worker is handled all the same', async () => {
  const poison = 0
  const deliveries = Array.from({ length: 64 }, () => 0)
  const left = new Set(deliveries.keys())
  for (let life = 0; life < 20; life++) {
    const died = new AbortController()
    const inbox = {
      async *messages(): AsyncIterable<Delivery> {
        for (const n of [...left]) {
          deliveries[n] = (deliveries[n] ?? 0) + 1
          yield {
            ...delivery(),
            payload: Uint8Array.of(n),
            deliveries: deliveries[n] ?? 0,
            acknowledge: async () => void (died.signal.aborted || left.delete(n)),
          }
        }
        await new Promise(() => {})
      },
    }
    const handler = {
      ready: async () => {},
      async handle([n]: Uint8Array) {
        await sleep(1)
        if (n !== poison) return 'done'
        died.abort()
        return new Promise<never>(() => {})
      },
    }
    void work('some/worker', inbox, handler, 64, new AbortController().signal)
    await once(died.signal, 'abort')
  }
  expect([...left]).toEqual([poison])
  expect(deliveries[poison]).toBe(20)
  // Twenty would have led them to the dead letters.
  expect(Math.max(...deliveries.slice(1))).toBeLessThan(20)
})
