import fc from 'fast-check'
import { Histogram, Registry } from 'prom-client'
import { expect, it } from 'vitest'
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
})

it('tells a scraper what a histogram of prom-client would, of the same observations', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(observation, { maxLength: 60 }), async (observations) => {
      invocations.length = 0
      const [ours, theirs] = [new Registry(), new Registry()]
      ours.registerMetric(durations('name', 'help', invocations))
      const histogram = new Histogram({
        name: 'name',
        help: 'help',
        labelNames: ['function', 'trigger', 'method', 'outcome'],
        buckets: [...durationBounds],
        registers: [theirs],
      })
      for (const { seconds, ...labels } of observations) {
        observeInvocation(labels.function, labels.trigger, labels.method, labels.outcome, seconds)
        histogram.observe(labels, seconds)
      }
      expect(await ours.metrics()).toBe(await theirs.metrics())
      expect(plain(await ours.getMetricsAsJSON())).toEqual(plain(await theirs.getMetricsAsJSON()))
    }),
    { numRuns: 50 },
  )
})

it('counts an invocation as one, at the first scrape and at the next', async () => {
  invocations.length = 0
  observeInvocation('things/get', 'http', 'GET', 'ok', 0.002)
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

/** Without the exemplars that nobody gave. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, inner) => (key === 'exemplar' ? undefined : inner)))
