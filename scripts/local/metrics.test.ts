import { expect, test } from 'vitest'
import { type Exemplar, expose, type MetricsJson } from '../../shared/exposition.ts'
import { GatewayMetrics, MetricsArchive } from './metrics.ts'

const counted = (name: string, aggregator: string): MetricsJson =>
  JSON.parse(
    JSON.stringify([{ name, help: name, type: 'counter', aggregator, values: [{ value: 1, labels: {} }] }]),
  )

test('what cannot be counted is left out, and what was kept before and is after it stands', async () => {
  const archive = new MetricsArchive()
  archive.keep(counted('before_total', 'sum'))
  archive.keep(counted('broken_total', 'of no kind'))
  archive.keep(counted('after_total', 'sum'))
  const { text } = await expose(await archive.merged([]), undefined)
  expect(text.split('\n').filter((line) => /^\w/.test(line))).toEqual(['before_total 1', 'after_total 1'])
})

const seen = (exemplar?: Exemplar): MetricsJson =>
  JSON.parse(
    JSON.stringify([
      {
        name: 'took',
        help: 'took',
        type: 'histogram',
        aggregator: 'sum',
        values: [{ value: 1, metricName: 'took_bucket', labels: { le: 1, function: 'a/b' }, exemplar }],
      },
    ]),
  )

const exemplar = (trace_id: string, timestamp: number): Exemplar => ({
  labelSet: { trace_id },
  value: 0.5,
  timestamp,
})

test('of a bucket that several processes have counted in, the newest exemplar is told, of those that are gone too', async () => {
  const archive = new MetricsArchive()
  archive.keep(seen(exemplar('gone', 30)))
  archive.keep(seen(exemplar('long gone', 10)))
  const told = async (...live: MetricsJson[]): Promise<string[]> => {
    const { text } = await expose(await archive.merged(live), 'application/openmetrics-text')
    return text.split('\n').filter((line) => line.startsWith('took_bucket'))
  }
  const sample = (count: number): string => `took_bucket{le="1",function="a/b"} ${count} # `
  expect(await told()).toEqual([`${sample(2)}{trace_id="gone"} 0.5 30`])
  expect(await told(seen(exemplar('older', 20)), seen())).toEqual([`${sample(4)}{trace_id="gone"} 0.5 30`])
  expect(await told(seen(exemplar('live', 40)))).toEqual([`${sample(3)}{trace_id="live"} 0.5 40`])
})

test('what the gateway took for an answer names the trace of the last one', async () => {
  const metrics = new GatewayMetrics()
  metrics.observe('students/get', 200, 3, 'a'.repeat(32))
  const { text } = await expose(await metrics.json(), 'application/openmetrics-text')
  expect(text).toMatch(
    /_bucket\{le="0.005",function="students\/get",status="200"\} 1 # \{trace_id="a{32}"\} 0.003 /,
  )
})
