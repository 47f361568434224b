import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Isolation } from './isolation.ts'

test('what comes again runs alone, everything else together, and all of it runs', async () => {
  const isolation = new Isolation()
  const under = { together: 0, alone: 0 }
  let most = 0
  let done = 0
  const run = (kind: 'together' | 'alone') => async () => {
    under[kind]++
    most = Math.max(most, under.together)
    if (under.alone > 0) expect([under.alone, under.together]).toEqual([1, 0])
    await sleep(Math.random() * 5)
    under[kind]--
    done++
  }
  await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      await sleep(Math.random() * 100)
      await (i % 5 === 0 ? isolation.alone(3, run('alone')) : isolation.together(run('together')))
    }),
  )
  expect(done).toBe(200)
  expect(most).toBeGreaterThan(1)
})

test('a failure lets the others go on', async () => {
  const isolation = new Isolation()
  await expect(isolation.alone(3, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  await expect(isolation.together(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await isolation.alone(3, async () => 1)).toBe(1)
  expect(await isolation.together(async () => 2)).toBe(2)
})

test('what was delivered least often comes first', async () => {
  const isolation = new Isolation()
  const order: number[] = []
  const held = Promise.withResolvers<void>()
  const first = isolation.together(() => held.promise)
  const all = [19, 5, 3, 19, 13].map((deliveries) =>
    isolation.alone(deliveries, async () => void order.push(deliveries)),
  )
  await sleep(100)
  expect(order).toEqual([])
  held.resolve()
  await Promise.all([first, ...all])
  expect(order).toEqual([3, 5, 13, 19, 19])
})
