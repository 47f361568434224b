import type {
  Metric,
  MetricObjectWithValues,
  MetricValue,
  OpenMetricsContentType,
  PrometheusContentType,
} from 'prom-client'

export type MetricsJson = MetricObjectWithValues<MetricValue<string>>[]

/** What a sample may have beside prom-client's declarations: the last observation of a bucket, with the trace that it was. */
export interface Exemplified {
  readonly exemplar?: Exemplar | null | undefined
}

export interface Exemplar {
  readonly labelSet: Readonly<Record<string, string>>
  readonly value: number
  /** In seconds since 1970. */
  readonly timestamp: number
}

/** What a scraper is answered. */
export interface Exposition {
  readonly contentType: string
  readonly text: string
}

/**
 * Metrics for a scraper: OpenMetrics, which has exemplars, to one that asks for it, as Prometheus does; else the text format.
 * A registry of prom-client's is of one format and renames its counters for the other, so each answer has one of its own.
 *
 * @param accept the scraper's header `Accept`
 */
export async function expose(found: MetricsJson, accept: string | undefined): Promise<Exposition> {
  const { Registry } = await import('prom-client')
  const open = asksForOpenMetrics(accept)
  const registry = new Registry<OpenMetricsContentType | PrometheusContentType>()
  registry.setContentType(open ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE)
  for (const metric of found) {
    // OpenMetrics adds `_total` to a counter's name by itself.
    const name = open && String(metric.type) === 'counter' ? metric.name.replace(/_total$/, '') : metric.name
    const told = { ...metric, name, get: async () => ({ ...metric, name }) }
    // Its declarations want the class; a registry calls nothing but `get`.
    registry.registerMetric(told as unknown as Metric)
  }
  return { contentType: registry.contentType, text: await registry.metrics() }
}

function asksForOpenMetrics(accept = ''): boolean {
  return accept
    .split(',')
    .map((range) => range.trim().toLowerCase())
    .some((range) => /^application\/openmetrics-text\s*(;|$)/.test(range) && !/;\s*q=0(\.0*)?$/.test(range))
}
