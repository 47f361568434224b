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
