import { AggregatorRegistry, Counter, Histogram, type OpenMetricsContentType, Registry } from 'prom-client'
import type { Exemplar, Exemplified, MetricsJson } from '../../shared/exposition.ts'
import { durationBounds } from '../../shared/tallies.ts'

/** What processes that are gone have counted, so that no counter of the merged view ever falls. */
export class MetricsArchive {
  #kept: Promise<MetricsJson> = Promise.resolve([])
  readonly #found = new Map<string, MetricsJson>()

  /** @param found by what name a run to its end is known, whose gauges stand until the next one's */
  keep(metrics: MetricsJson, found?: string): void {
    // A gauge tells how something is: of a process that is gone, nothing is, but what a job found of the world.
    if (found !== undefined)
      this.#found.set(
        found,
        metrics.filter(({ type, name }) => !isCumulative(type) && name.startsWith('registrar_')),
      )
    const counted = metrics.filter(({ type }) => isCumulative(type))
    const before = this.#kept
    this.#kept = before.then((kept) => aggregated([kept, counted])).catch(() => before)
  }

  async merged(live: readonly (MetricsJson | undefined)[]): Promise<MetricsJson> {
    return aggregated([await this.#kept, ...this.#found.values(), ...live.filter((one) => one !== undefined)])
  }
}

/** As prom-client adds up the processes of a cluster, which forgets exemplars: of each sample the newest one stays. */
async function aggregated(all: MetricsJson[]): Promise<MetricsJson> {
  const newest = new Map<string, Exemplar>()
  for (const { name, values } of all.flat())
    for (const value of values) {
      const { exemplar } = value as Exemplified
      const key = keyOf(name, value)
      if (exemplar && exemplar.timestamp >= (newest.get(key)?.timestamp ?? 0)) newest.set(key, exemplar)
    }
  const metrics: MetricsJson = await AggregatorRegistry.aggregate(all).getMetricsAsJSON()
  for (const { name, values } of metrics)
    for (const value of values) Object.assign(value, { exemplar: newest.get(keyOf(name, value)) })
  return metrics
}

function keyOf(name: string, value: MetricsJson[number]['values'][number]): string {
  const sample = 'metricName' in value ? value.metricName : name
  return JSON.stringify([sample, Object.entries(value.labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}

/** prom-client says types in words, whatever its declarations say. */
function isCumulative(type: unknown): boolean {
  return type === 'counter' || type === 'histogram'
}

/** Others have no exemplars. */
function openMetricsRegistry(): Registry<OpenMetricsContentType> {
  const registry = new Registry<OpenMetricsContentType>()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  return registry
}

/** The gateway's own view: what its clients get, and when. */
export class GatewayMetrics {
  readonly #registry = openMetricsRegistry()
  readonly #requests = new Counter({
    name: 'registrar_gateway_requests_total',
    help: 'Requests that the gateway answered',
    labelNames: ['function', 'status'] as const,
    registers: [this.#registry],
  })
  // prom-client's declarations have an exemplar's labels among those of its metric.
  readonly #duration = new Histogram<string>({
    name: 'registrar_gateway_request_duration_seconds',
    help: 'Time from a request to its answer, cold starts included',
    labelNames: ['function', 'status'] as const,
    buckets: [...durationBounds],
    enableExemplars: true,
    registers: [this.#registry],
  })

  observe(name: string | undefined, status: number, ms: number, traceId: string): void {
    const labels = { function: name ?? 'none', status }
    this.#requests.inc(labels)
    this.#duration.observe({ labels, value: ms / 1000, exemplarLabels: { trace_id: traceId } })
  }

  async json(): Promise<MetricsJson> {
    return this.#registry.getMetricsAsJSON()
  }
}
