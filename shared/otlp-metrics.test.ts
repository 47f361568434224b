import { once } from 'node:events'
import { createServer } from 'node:http'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { expect, it } from 'vitest'
import type { Pushed } from '../scripts/observability/otlp-receiver.ts'
import { OtlpReceiver } from '../scripts/observability/otlp-receiver.ts'
import { observeColdStart, observeDrift } from './metrics.ts'
import { otlpRequest, pushMetrics } from './otlp-metrics.ts'
import { observeInvocation } from './tallies.ts'

it('gives a receiver what was counted, under the name by which the process is scraped', async () => {
  await using receiver = new OtlpReceiver()
  const address = await receiver.listen()
  const invocation = { function: 'students/get', trigger: 'http', method: 'GET', outcome: 'ok' }
  observeInvocation(invocation, 0.003, 'a'.repeat(32))
  observeInvocation(invocation, 0.3, 'b'.repeat(32))
  observeColdStart('students/get', 0.12)
  observeDrift('platform/initialize', 3)
  await pushMetrics(`http://${address}/v1/metrics`, { histograms: true })
  const [pushed] = receiver.pushed
  expect(pushed?.resource).toEqual({
    'service.name': 'registrar',
    'service.instance.id': expect.stringMatching(/./),
  })
  expect(metric(pushed, 'registrar_invocations_total')?.sum).toMatchObject({
    isMonotonic: true,
    aggregationTemporality: 2,
    dataPoints: [{ asDouble: 2 }],
  })
  expect(metric(pushed, 'registrar_drift_differences')?.gauge?.dataPoints).toMatchObject([{ asDouble: 3 }])
  const [latency] = metric(pushed, 'registrar_invocation_duration_seconds')?.histogram?.dataPoints ?? []
  expect(latency).toMatchObject({ count: '2', sum: 0.303 })
  expect(latency?.explicitBounds.slice(0, 3)).toEqual([0.001, 0.0025, 0.005])
  // In (0.0025, 0.005], and in (0.25, 0.5]; the last is what is above all bounds.
  expect(latency?.bucketCounts).toEqual([
    '0',
    '0',
    '1',
    '0',
    '0',
    '0',
    '0',
    '0',
    '1',
    '0',
    '0',
    '0',
    '0',
    '0',
  ])
  expect(latency?.exemplars).toEqual([
    { timeUnixNano: expect.stringMatching(/^\d{19}$/), asDouble: 0.003, traceId: 'a'.repeat(32) },
    { timeUnixNano: expect.stringMatching(/^\d{19}$/), asDouble: 0.3, traceId: 'b'.repeat(32) },
  ])
  expect(latency?.bucketCounts).toHaveLength((latency?.explicitBounds.length ?? 0) + 1)
  // What Node says of itself is not pushed: it does not say whose it is.
  expect(pushed?.metrics.every(({ name }) => name.startsWith('registrar_'))).toBe(true)
})

it('leaves a job its counters and gauges alone', async () => {
  const registry = new Registry()
  const registers = [registry]
  new Counter({ name: 'registrar_a_total', help: 'a', registers }).inc(2)
  new Gauge({ name: 'registrar_b', help: 'b', registers }).set(0)
  new Histogram({ name: 'registrar_c', help: 'c', registers }).observe(1)
  new Gauge({ name: 'process_d', help: 'd', registers }).set(1)
  const request = JSON.stringify(
    otlpRequest(await registry.getMetricsAsJSON(), 'pod-1', { histograms: false }),
  )
  expect(request.match(/registrar_\w+|process_\w+/g)).toEqual(['registrar_a_total', 'registrar_b'])
})

it('does not keep an end waiting, nor fail it, where nobody takes it', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const address = silent.address()
  const port = typeof address === 'object' ? address?.port : 0
  const began = performance.now()
  await pushMetrics('http://127.0.0.1:1/v1/metrics', { histograms: true })
  await pushMetrics(`http://127.0.0.1:${port}/v1/metrics`, { histograms: true })
  expect(performance.now() - began).toBeLessThan(3000)
  silent.closeAllConnections()
  silent.close()
})

const metric = (pushed: Pushed | undefined, wanted: string) =>
  pushed?.metrics.find(({ name }) => name === wanted)
