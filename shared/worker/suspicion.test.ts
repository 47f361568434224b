import { expect, test } from 'vitest'
import { Suspicion } from './suspicion.ts'

test('what nobody died of is innocent: its first delivery, and what this worker gave back itself', () => {
  const suspicion = new Suspicion()
  expect(suspicion.of({ sequence: 7, deliveries: 1 })).toBe('innocent')
  suspicion.acquit({ sequence: 7 })
  expect(suspicion.of({ sequence: 7, deliveries: 2 })).toBe('innocent')
  // Only once: that it comes a third time is the death of another worker.
  expect(suspicion.of({ sequence: 7, deliveries: 3 })).toBe('alone')
})

test.each([
  [2, 250],
  [4, 1000],
  [6, 4000],
  [8, 16_000],
  [18, 16_000],
])('delivery %i is given back for up to %i ms, and tried alone when it comes again', (deliveries, most) => {
  const suspicion = new Suspicion()
  const pauses = Array.from({ length: 1000 }, () => {
    const verdict = suspicion.of({ sequence: 1, deliveries })
    return typeof verdict === 'object' ? verdict.pause : Number.NaN
  })
  expect(Math.min(...pauses)).toBeGreaterThan(0)
  expect(Math.max(...pauses)).toBeLessThanOrEqual(most)
  // They come apart.
  expect(Math.max(...pauses) - Math.min(...pauses)).toBeGreaterThan(most / 2)
  expect(suspicion.of({ sequence: 1, deliveries: deliveries + 1 })).toBe('alone')
})
