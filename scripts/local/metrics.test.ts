import { expect, test } from 'vitest'
import { MetricsArchive, type MetricsJson } from './metrics.ts'

const counted = (name: string, aggregator: string): MetricsJson =>
  JSON.parse(
    JSON.stringify([{ name, help: name, type: 'counter', aggregator, values: [{ value: 1, labels: {} }] }]),
  )

test('what cannot be counted is left out, and what was kept before and is after it stands', async () => {
  const archive = new MetricsArchive()
  archive.keep(counted('before_total', 'sum'))
  archive.keep(counted('broken_total', 'of no kind'))
  archive.keep(counted('after_total', 'sum'))
  const text = await archive.merged([])
  expect(text.split('\n').filter((line) => /^\w/.test(line))).toEqual(['before_total 1', 'after_total 1'])
})
