import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { TooBusy, Turnstile } from './turnstile.ts'

test('no more than so many are through at a time, in the order in which they came', async () => {
  const turnstile = new Turnstile(3, 60_000)
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
  const turnstile = new Turnstile(1, 10)
  const gate = Promise.withResolvers<void>()
  const first = turnstile.through(() => gate.promise)
  const others = await Promise.allSettled([1, 2].map((n) => turnstile.through(async () => n)))
  expect(others).toEqual([1, 2].map(() => ({ status: 'rejected', reason: expect.any(TooBusy) })))
  gate.resolve()
  await first
  expect(await turnstile.through(async () => 'again')).toBe('again')
})

test('a failure gives its place back', async () => {
  const turnstile = new Turnstile(1, 10)
  await expect(turnstile.through(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await turnstile.through(async () => 'next')).toBe('next')
})
