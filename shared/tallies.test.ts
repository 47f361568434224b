import fc from 'fast-check'
import { Histogram, type OpenMetricsContentType, type PrometheusContentType, Registry } from 'prom-client'
import { afterEach, expect, it, vi } from 'vitest'
import { metrics } from './metrics.ts'
import { durationBounds, durations, invocations, observeCache, observeInvocation } from './tallies.ts'

/** On a bound, between bounds, beyond all of them. */
const seconds = fc.oneof(
  fc.constantFrom(0, ...durationBounds),
  fc.double({ min: 0, max: 20, noNaN: true }),
  fc.constant(1e6),
)
const observation = fc.record({
  function: fc.constantFrom('students/get', 'courses/get'),
  trigger: fc.constantFrom('http', 'grpc'),
  method: fc.constantFrom('GET', 'HEAD'),
  outcome: fc.constantFrom('ok', 'not_found'),
  seconds,
  traceId: fc.constantFrom('a'.repeat(32), 'b'.repeat(32)),
})

afterEach(() => {
  vi.useRealTimers()
})

type Format = OpenMetricsContentType | PrometheusContentType

function registry(format: Format): Registry<Format> {
  const made = new Registry<Format>()
  made.setContentType(format)
  return made
}

it('tells a scraper what a histogram of prom-client would, of the same observations', async () => {
  vi.useFakeTimers({ now: 1_700_000_000_123, toFake: ['Date'] })
  await fc.assert(
    fc.asyncProperty(fc.array(observation, { maxLength: 60 }), async (observations) => {
      invocations.length = 0
      const [ours, theirs] = [
        registry(Registry.OPENMETRICS_CONTENT_TYPE),
        registry(Registry.OPENMETRICS_CONTENT_TYPE),
      ]
      ours.registerMetric(durations('name', 'help', invocations))
      const histogram = new Histogram<string>({
        name: 'name',
        help: 'help',
        labelNames: ['function', 'trigger', 'method', 'outcome'],
        buckets: [...durationBounds],
        enableExemplars: true,
        registers: [theirs],
      })
      for (const { seconds, traceId, ...labels } of observations) {
        observeInvocation(labels, seconds, traceId)
        histogram.observe({ labels, value: seconds, exemplarLabels: { trace_id: traceId } })
      }
      for (const format of [Registry.OPENMETRICS_CONTENT_TYPE, Registry.PROMETHEUS_CONTENT_TYPE] as const) {
        for (const one of [ours, theirs]) one.setContentType(format)
        expect(await ours.metrics()).toBe(await theirs.metrics())
      }
      expect(plain(await ours.getMetricsAsJSON())).toEqual(plain(await theirs.getMetricsAsJSON()))
    }),
    { numRuns: 50 },
  )
})

it('counts an invocation as one, at the first scrape and at the next', async () => {
  invocations.length = 0
  observeInvocation(
    { function: 'things/get', trigger: 'http', method: 'GET', outcome: 'ok' },
    0.002,
    'a'.repeat(32),
  )
  observeCache('things/get', 'hit')
  observeCache('things/get', 'hit')
  const labels = 'function="things/get",trigger="http",method="GET",outcome="ok"'
  for (let scrape = 1; scrape <= 2; scrape++) {
    const text = await (await metrics()).metrics()
    expect(text).toContain(`registrar_invocations_total{${labels}} 1\n`)
    expect(text).toContain(`registrar_invocation_duration_seconds_count{${labels}} 1\n`)
    expect(text).toContain('registrar_cache_requests_total{function="things/get",result="hit"} 2\n')
  }
})

/** prom-client says null of an exemplar that is not there. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, inner) => (key === 'exemplar' ? (inner ?? undefined) : inner)))
