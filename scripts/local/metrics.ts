import {
  AggregatorRegistry,
  Counter,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client'

export type MetricsJson = MetricObjectWithValues<MetricValue<string>>[]

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
    this.#kept = before
      .then((kept) => AggregatorRegistry.aggregate([kept, counted]).getMetricsAsJSON())
      .catch(() => before)
  }

  async merged(live: readonly (MetricsJson | undefined)[]): Promise<string> {
    const all = [await this.#kept, ...this.#found.values(), ...live.filter((one) => one !== undefined)]
    return AggregatorRegistry.aggregate(all).metrics()
  }
}

/** prom-client says types in words, whatever its declarations say. */
function isCumulative(type: unknown): boolean {
  return type === 'counter' || type === 'histogram'
}

/** The gateway's own view: what its clients get, and when. */
export class GatewayMetrics {
  readonly #registry = new Registry()
  readonly #requests = new Counter({
    name: 'registrar_gateway_requests_total',
    help: 'Requests that the gateway answered',
    labelNames: ['function', 'status'] as const,
    registers: [this.#registry],
  })
  readonly #duration = new Histogram({
    name: 'registrar_gateway_request_duration_seconds',
    help: 'Time from a request to its answer, cold starts included',
    labelNames: ['function', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.#registry],
  })

  observe(name: string | undefined, status: number, ms: number): void {
    const labels = { function: name ?? 'none', status }
    this.#requests.inc(labels)
    this.#duration.observe(labels, ms / 1000)
  }

  async json(): Promise<MetricsJson> {
    return this.#registry.getMetricsAsJSON()
  }
}
