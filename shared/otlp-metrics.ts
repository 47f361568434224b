import { hostname } from 'node:os'
import { causes } from './errors.ts'
import type { Exemplified, MetricsJson } from './exposition.ts'
import { log } from './log.ts'
import { metrics } from './metrics.ts'

export interface PushOptions {
  /** Not of jobs: each run is an instance of its own, and buckets would be most of all series. */
  readonly histograms: boolean
}

/** Longest that an end waits for the receiver, in milliseconds. */
const patience = 1000

/**
 * Pushes what this process counted to an OTLP receiver (`http://prometheus:9090/api/v1/otlp/v1/metrics`), as JSON over
 * HTTP. The names of job and instance are those under which it is scraped, so that a series that a scraper knows is
 * carried to its end. Never rejects.
 */
export async function pushMetrics(receiver: string, options: PushOptions): Promise<void> {
  try {
    const found = await (await metrics()).getMetricsAsJSON()
    const response = await fetch(receiver, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(otlpRequest(found, hostname(), options)),
      signal: AbortSignal.timeout(patience),
    })
    if (!response.ok) throw new Error(`the receiver answered ${response.status}`)
  } catch (error) {
    log('warn', { message: 'the last metrics were not taken', error: causes(error) })
  }
}

type Metric = MetricsJson[number]

/** Ours alone: what Node says of itself does not say whose it is. */
export function otlpRequest(found: MetricsJson, instance: string, { histograms }: PushOptions): object {
  const timeUnixNano = `${Date.now()}000000`
  const startTimeUnixNano = `${Math.round(performance.timeOrigin)}000000`
  const when = { startTimeUnixNano, timeUnixNano }
  const metrics = found
    .filter(({ name, values }) => name.startsWith('registrar_') && values.length > 0)
    .flatMap((metric): object[] => {
      const { name, help: description } = metric
      const points = (): object[] =>
        metric.values.map(({ value, labels }) => ({
          ...when,
          asDouble: value,
          attributes: attributes(labels),
        }))
      // prom-client says types in words, whatever its declarations say.
      switch (String(metric.type)) {
        case 'counter':
          return [{ name, description, sum: { ...cumulative, isMonotonic: true, dataPoints: points() } }]
        case 'gauge':
          return [{ name, description, gauge: { dataPoints: points() } }]
        case 'histogram':
          return histograms
            ? [{ name, description, histogram: { ...cumulative, dataPoints: distributions(metric, when) } }]
            : []
        default:
          return []
      }
    })
  const resource = {
    attributes: attributes({ 'service.name': 'registrar', 'service.instance.id': instance }),
  }
  return { resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: 'registrar' }, metrics }] }] }
}

const cumulative = { aggregationTemporality: 2 }

/** OTLP counts each bucket by itself, where Prometheus counts all up to its bound. */
function distributions({ name, values }: Metric, when: object): object[] {
  const byLabels = new Map<
    string,
    { labels: Labels; buckets: [bound: number, upTo: number][]; sum: number; exemplars: object[] }
  >()
  for (const value of values) {
    const { le, ...labels } = value.labels as Labels & { le?: string | number }
    const key = JSON.stringify(labels)
    const one = byLabels.get(key) ?? { labels, buckets: [], sum: 0, exemplars: [] }
    byLabels.set(key, one)
    if ('metricName' in value && value.metricName === `${name}_sum`) one.sum = value.value
    else if (le !== undefined)
      one.buckets.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value.value])
    const { exemplar } = value as Exemplified
    if (exemplar)
      one.exemplars.push({
        timeUnixNano: `${Math.round(exemplar.timestamp * 1000)}000000`,
        asDouble: exemplar.value,
        traceId: exemplar.labelSet['trace_id'],
      })
  }
  return [...byLabels.values()].map(({ labels, buckets, sum, exemplars }) => {
    buckets.sort(([a], [b]) => a - b)
    return {
      ...when,
      sum,
      count: String(buckets.at(-1)?.[1] ?? 0),
      explicitBounds: buckets.slice(0, -1).map(([bound]) => bound),
      bucketCounts: buckets.map(([, upTo], i) => String(upTo - (buckets[i - 1]?.[1] ?? 0))),
      attributes: attributes(labels),
      exemplars,
    }
  })
}

type Labels = Readonly<Partial<Record<string, string | number>>>

const attributes = (labels: Labels): object[] =>
  Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: String(value) } }))
