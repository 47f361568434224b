import { objectives, windows } from './objectives.ts'
import { bound, grown, named } from './promql.ts'

export interface RecordingRule {
  readonly record: string
  readonly labels?: Readonly<Record<string, string>>
  readonly expr: string
}

export interface Group<R> {
  readonly name: string
  readonly interval?: string
  readonly rules: readonly R[]
}

/** The one that clients reach, whichever it is: how it names what it counts, and in which unit it measures. */
interface Gateway {
  readonly gateway: string
  readonly requests: string
  readonly code: string
  readonly buckets: string
  readonly filter: string
  readonly from: 'service' | 'function'
  /** Its units in a second. */
  readonly scale: number
}

const gateways: readonly Gateway[] = [
  {
    gateway: 'kong',
    requests: 'kong_http_requests_total',
    code: 'code',
    buckets: 'kong_request_latency_ms_bucket',
    filter: 'service!=""',
    from: 'service',
    scale: 1000,
  },
  // Of npm start.
  {
    gateway: 'local',
    requests: 'registrar_gateway_requests_total',
    code: 'status',
    buckets: 'registrar_gateway_request_duration_seconds_bucket',
    filter: 'function!="none"',
    from: 'function',
    scale: 1,
  },
]

/** Requests a second at the gateway, and those that were answered in time. */
function rates(window: string): RecordingRule[] {
  const inTime = (scale: number): string => bound(objectives.latencySeconds * scale)
  return gateways.flatMap(({ gateway, requests, code, buckets, filter, from, scale }) => [
    {
      record: `function:registrar_requests:rate${window}`,
      labels: { gateway },
      expr: `sum by (service, function, code) (label_replace(${named(`rate(${requests}{${filter}}[${window}])`, from)}, "code", "$1", "${code}", "(.+)"))`,
    },
    {
      record: `function:registrar_quick_requests:rate${window}`,
      labels: { gateway },
      expr: `sum by (service, function) (${named(`rate(${buckets}{${filter}, ${inTime(scale)}}[${window}])`, from)})`,
    },
  ])
}

function quantiles(window: string): RecordingRule[] {
  return gateways.flatMap(({ gateway, buckets, filter, from, scale }) =>
    [0.5, 0.99].map((quantile) => ({
      record: `function:registrar_request_duration_seconds:quantile${window}`,
      labels: { gateway, quantile: String(quantile) },
      expr: `histogram_quantile(${quantile}, sum by (service, function, le) (${named(`rate(${buckets}{${filter}}[${window}])`, from)}))${scale === 1 ? '' : ` / ${scale}`}`,
    })),
  )
}

/** Shares of a service's requests. One that never failed has no series of failures: they are none, not unknown. */
function indicators(window: string): RecordingRule[] {
  const rate = `function:registrar_requests:rate${window}`
  const total = `sum by (service) (${rate})`
  const failed = `sum by (service) (${rate}{code=~"5.."})`
  return [
    {
      record: `service:registrar_failed_requests:ratio_rate${window}`,
      expr: `(${failed} or 0 * ${total}) / ${total}`,
    },
    {
      record: `service:registrar_slow_requests:ratio_rate${window}`,
      expr: `1 - sum by (service) (function:registrar_quick_requests:rate${window}) / ${total}`,
    },
  ]
}

/** What dashboards and alerts look at, computed once. */
export function recordingGroups(): Group<RecordingRule>[] {
  return [
    { name: 'registrar-gateway', rules: quantiles('5m') },
    // Long windows move slowly, and cost most.
    ...windows.map((window) => ({
      name: `registrar-objectives-${window}`,
      ...(/[hd]/.test(window) ? { interval: '1m' } : {}),
      rules: [...rates(window), ...indicators(window)],
    })),
    {
      name: 'registrar-functions',
      rules: [
        {
          record: 'function:registrar_invocations:grown5m',
          expr: grown('registrar_invocations_total', ['function', 'trigger', 'outcome']),
        },
        {
          record: 'function:registrar_invocation_duration_seconds_bucket:grown5m',
          expr: grown('registrar_invocation_duration_seconds_bucket', ['function', 'le']),
        },
        {
          record: 'function:registrar_cold_starts:grown5m',
          expr: grown('registrar_cold_start_duration_seconds_count', ['function']),
        },
        {
          record: 'function:registrar_cold_start_duration_seconds_bucket:grown5m',
          expr: grown('registrar_cold_start_duration_seconds_bucket', ['function', 'le']),
        },
        {
          record: 'function:registrar_cache_requests:grown5m',
          expr: grown('registrar_cache_requests_total', ['function', 'result']),
        },
        { record: 'function:registrar_cache_hits:ratio5m', expr: `(${hits} or 0 * ${reads}) / ${reads}` },
        {
          record: 'function:registrar_dead_letters:grown5m',
          expr: grown('registrar_dead_letters_total', ['function', 'reason']),
        },
      ],
    },
    {
      name: 'registrar-enrolments',
      rules: [
        {
          record: 'service:registrar_outbox_oldest_seconds:max',
          expr: `max by (service) (${named('registrar_outbox_oldest_seconds', 'function')})`,
        },
        // Of a consumer that is kept three times its leader knows best. A sweeper's consumers of advisories are no workers.
        {
          record: 'function:registrar_consumer_lag:sum',
          expr: `sum by (service, function, stream_name) (${named(`${consumers('num_pending')} + ${consumers('num_ack_pending')}`, 'consumer_name')})`,
        },
        {
          record: 'function:registrar_consumer_settled:max',
          expr: `max by (service, function, stream_name) (${named(consumers('ack_floor_stream_seq'), 'consumer_name')})`,
        },
        {
          record: 'stream:registrar_messages:max',
          expr: 'max by (stream_name) (jetstream_stream_total_messages{is_stream_leader="true"})',
        },
      ],
    },
  ]
}

const reads = 'sum by (function) (function:registrar_cache_requests:grown5m)'
const hits = reads.replace('5m)', '5m{result="hit"})')

const consumers = (metric: string): string =>
  `jetstream_consumer_${metric}{is_consumer_leader="true", consumer_name!~".+-advisories"}`
