import { expect, it, vi } from 'vitest'
import type { Events } from '../resource/events.ts'
import { deferredEvents } from './deferred-events.ts'

const mutation = { id: 'm', side: 'S', subject: 's', links: [] } as const
const telling = { traceparent: 'none' }

function subject() {
  const told: string[] = []
  const events: Events & AsyncDisposable = {
    announce: async ({ id }) => void told.push(id),
    tell: async (to) => void told.push(to),
    [Symbol.asyncDispose]: async () => void told.push('closed'),
  }
  const load = vi.fn(async () => events)
  return { told, load, deferred: deferredEvents(load) }
}

it('loads the driver with the first message, and once', async () => {
  vi.useFakeTimers()
  const { told, load, deferred } = subject()
  expect(load).not.toHaveBeenCalled()
  await Promise.all([deferred.announce(mutation, telling), deferred.announce(mutation, telling)])
  vi.advanceTimersByTime(1000)
  expect(load).toHaveBeenCalledOnce()
  await deferred[Symbol.asyncDispose]()
  expect(told).toEqual(['m', 'm', 'closed'])
  vi.useRealTimers()
})

it('loads it aside when nobody has asked for a moment', () => {
  vi.useFakeTimers()
  const { load } = subject()
  vi.advanceTimersByTime(299)
  expect(load).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(load).toHaveBeenCalledOnce()
  vi.useRealTimers()
})

it('a process that ends before has loaded nothing', async () => {
  const { told, load, deferred } = subject()
  await deferred[Symbol.asyncDispose]()
  expect([load.mock.calls, told]).toEqual([[], []])
})
