import { deadLetter } from '../../../shared/messages/streams.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { burns, objectives } from './objectives.ts'
import type { Group } from './recording-rules.ts'

export interface Alert {
  readonly alert: string
  /** What the expression compares, or looks for: where nothing is wrong it is there all the same. */
  readonly looksAt: readonly string[]
  readonly expr: string
  readonly for?: string
  /** A page wakes somebody; a ticket waits for the morning. */
  readonly severity: 'page' | 'ticket'
  readonly labels?: Readonly<Record<string, string>>
  readonly summary: string
  /** The heading in RUNBOOK.md, as an anchor. */
  readonly runbook: string
}

interface Indicator {
  readonly alert: string
  readonly indicator: string
  readonly objective: number
  readonly runbook: string
  readonly what: string
}

const indicators: readonly Indicator[] = [
  {
    alert: 'RegistrarAvailabilityBurn',
    indicator: 'service:registrar_failed_requests:ratio_rate',
    objective: objectives.availability,
    runbook: 'requests-fail',
    what: 'answered with a 5xx',
  },
  {
    alert: 'RegistrarLatencyBurn',
    indicator: 'service:registrar_slow_requests:ratio_rate',
    objective: objectives.latency,
    runbook: 'requests-are-slow',
    what: `not answered within ${objectives.latencySeconds} s`,
  },
]

function burning({ alert, indicator, objective, runbook, what }: Indicator): Alert[] {
  return burns.map(({ long, short, factor, severity }) => {
    const most = Number((factor * (1 - objective)).toPrecision(6))
    const [inLong, inShort] = [`${indicator}${long}`, `${indicator}${short}`]
    return {
      alert,
      looksAt: [inLong, inShort],
      expr: `${inLong} > ${most} and ${inShort} > ${most}`,
      severity,
      labels: { window: long },
      summary: `{{ $labels.service }}: {{ $value | humanizePercentage }} of the requests of ${long} were ${what}, more than ${factor} times what the objective allows`,
      runbook,
    }
  })
}

/** A run that ends is only heard of by what it pushes: where that stops, nobody knows how old the outboxes are. */
function silent({ name }: DiscoveredFunction): Alert {
  const found = `registrar_outbox_oldest_seconds{function="${name.full}"}`
  return {
    alert: 'RegistrarSweeperSilent',
    looksAt: [found],
    expr: `absent_over_time(${found}[10m])`,
    severity: 'ticket',
    labels: { service: name.service },
    summary: `${name.full} has told nothing for ten minutes`,
    runbook: 'a-sweeper-is-silent',
  }
}

const drift = 'max by (function) (last_over_time(registrar_drift_differences[15m]))'
const lag = 'min_over_time(function:registrar_consumer_lag:sum[5m])'
const settled = 'changes(function:registrar_consumer_settled:max[5m])'
const outbox = 'service:registrar_outbox_oldest_seconds:max'
const buried = `stream:registrar_messages:max{stream_name="${deadLetter.stream}"}`
/** Of prometheus.yml, but for the functions: they come and go, and that one is not there any more is no news. */
const servers = ['kong', 'nats', 'postgres', 'redis', 'mongodb']
const targets = `up{job=~"${servers.join('|')}"}`

export function alerts(functions: readonly DiscoveredFunction[]): Alert[] {
  return [
    ...indicators.flatMap(burning),
    {
      alert: 'RegistrarOutboxOld',
      looksAt: [outbox],
      expr: `${outbox} > 180`,
      for: '3m',
      severity: 'page',
      summary:
        '{{ $labels.service }}: a change was not told to the other side for {{ $value | humanizeDuration }}',
      runbook: 'an-outbox-grows-old',
    },
    ...functions
      .filter(({ declaration: { trigger, needs } }) => trigger.kind === 'cron' && needs.includes('outbox'))
      .map(silent),
    {
      alert: 'RegistrarDeadLetters',
      looksAt: [buried],
      expr: `${buried} > 0`,
      severity: 'ticket',
      summary: '{{ $value }} messages that no worker could process wait for a decision',
      runbook: 'there-are-dead-letters',
    },
    {
      alert: 'RegistrarConsumerStalled',
      looksAt: [lag, settled],
      expr: `${lag} > 0 and ${settled} == 0`,
      for: '5m',
      severity: 'page',
      summary:
        '{{ $labels.function }} has {{ $value }} messages, and the oldest is not settled for ten minutes',
      runbook: 'a-consumer-is-stalled',
    },
    {
      alert: 'RegistrarDrift',
      looksAt: [drift],
      expr: `${drift} > 0`,
      severity: 'ticket',
      summary: '{{ $value }} differences between what the functions need and what the servers have',
      runbook: 'the-servers-drifted',
    },
    {
      alert: 'RegistrarTargetDown',
      looksAt: [targets],
      // Without NATS' exporter nobody would hear of lag and dead letters, nor of that.
      expr: `${targets} == 0 or absent(up{job="nats"})`,
      for: '5m',
      severity: 'ticket',
      summary:
        '{{ $labels.job }}{{ with $labels.instance }} at {{ . }}{{ end }} cannot be scraped: what is known of it is old',
      runbook: 'a-target-is-down',
    },
  ]
}

interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** As Prometheus reads them. */
export function alertGroups(functions: readonly DiscoveredFunction[]): Group<AlertRule>[] {
  const rules = alerts(functions).map(
    ({ alert, expr, for: patience, severity, labels, summary, runbook }) => ({
      alert,
      expr,
      ...(patience === undefined ? {} : { for: patience }),
      labels: { severity, ...labels },
      annotations: { summary, runbook: `RUNBOOK.md#${runbook}` },
    }),
  )
  return [{ name: 'registrar-alerts', rules }]
}
