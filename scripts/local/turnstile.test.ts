import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { TooBusy, Turnstile } from './turnstile.ts'

const soon = { standstill: 10, longest: 10 }

test('no more than so many are through at a time, in the order in which they came', async () => {
  const turnstile = new Turnstile(3, { standstill: 60_000, longest: 60_000 })
  const order: number[] = []
  let through = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      turnstile.through(async () => {
        order.push(i)
        through++
        most = Math.max(most, through)
        await sleep(i % 4)
        through--
      }),
    ),
  )
  expect(most).toBe(3)
  expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i))
})

test('who waits too long is turned away, and takes no place with him', async () => {
  const turnstile = new Turnstile(1, soon)
  const gate = Promise.withResolvers<void>()
  const first = turnstile.through(() => gate.promise)
  const others = await Promise.allSettled([1, 2].map((n) => turnstile.through(async () => n)))
  expect(others).toEqual([1, 2].map(() => ({ status: 'rejected', reason: expect.any(TooBusy) })))
  gate.resolve()
  await first
  expect(await turnstile.through(async () => 'again')).toBe('again')
})

test('who waits is turned away when nobody is served for a while, or when it takes too long', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const work = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30))
  /** How many of twenty are let through, one after another. */
  const through = async (longest: number, served: boolean): Promise<number> => {
    const turnstile = new Turnstile(1, { standstill: 100, longest })
    const all = Promise.allSettled(Array.from({ length: 20 }, () => turnstile.through(work, () => served)))
    await vi.runAllTimersAsync()
    return (await all).filter(({ status }) => status === 'fulfilled').length
  }
  expect(await through(60_000, true)).toBe(20)
  // The first, and those whose turn came within 100 ms, or within 200.
  expect(await through(60_000, false)).toBe(4)
  expect(await through(200, true)).toBe(7)
})

test('a failure gives its place back', async () => {
  const turnstile = new Turnstile(1, soon)
  await expect(turnstile.through(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await turnstile.through(async () => 'next')).toBe('next')
})
