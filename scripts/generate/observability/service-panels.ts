import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { objectives } from './objectives.ts'
import type { View } from './panels.ts'
import { grown, perSecond } from './promql.ts'

const quantiles = [0.5, 0.95, 0.99]
const percent = 'percentunit'

/** What a service's page begins with: how it does by its objectives, and what must be nought. */
export function serviceStats(service: string): View[] {
  const of = (metric: string): string => `${metric}{service="${service}"}`
  return [
    {
      title: `Answered without failure, in 6 h (objective ${objectives.availability * 100} %)`,
      unit: percent,
      queries: [{ expr: `1 - ${of('service:registrar_failed_requests:ratio_rate6h')}`, legend: 'answered' }],
    },
    {
      title: `Answered within ${objectives.latencySeconds} s, in 6 h (objective ${objectives.latency * 100} %)`,
      unit: percent,
      queries: [{ expr: `1 - ${of('service:registrar_slow_requests:ratio_rate6h')}`, legend: 'in time' }],
    },
    {
      title: 'Oldest change that was not told',
      unit: 's',
      queries: [{ expr: of('service:registrar_outbox_oldest_seconds:max'), legend: 'outbox' }],
    },
    {
      title: 'Messages waiting for its workers',
      unit: 'short',
      queries: [{ expr: `sum(${of('function:registrar_consumer_lag:sum')})`, legend: 'waiting' }],
    },
  ]
}

export function servicePanels(service: string): View[] {
  const gateway = (metric: string, more = ''): string => `${metric}{service="${service}"${more}}`
  const own = (metric: string): string => `${metric}{function=~"${service}/.+"}`
  return [
    {
      title: 'Requests at the gateway',
      unit: 'reqps',
      queries: [
        {
          expr: `sum by (function) (${gateway('function:registrar_requests:rate5m')})`,
          legend: '{{function}}',
        },
      ],
    },
    {
      title: 'Answers at the gateway that are none',
      description: 'By function and status, from 500 on.',
      unit: 'reqps',
      queries: [
        {
          expr: `sum by (function, code) (${gateway('function:registrar_requests:rate5m', ', code=~"5.."')})`,
          legend: '{{function}} {{code}}',
        },
      ],
    },
    {
      title: 'Latency at the gateway, 99 %',
      description: 'As clients see it: with cold starts, and with what never came up.',
      unit: 's',
      queries: [
        {
          expr: gateway('function:registrar_request_duration_seconds:quantile5m', ', quantile="0.99"'),
          legend: '{{function}}',
        },
      ],
    },
    {
      title: 'Invocations',
      description: 'As functions count them, workers and lookups included.',
      unit: 'ops',
      queries: [
        {
          expr: perSecond(`sum by (function) (${own('function:registrar_invocations:grown5m')})`),
          legend: '{{function}}',
        },
      ],
    },
    {
      title: 'Invocations by outcome',
      unit: 'ops',
      queries: [
        {
          expr: perSecond(`sum by (outcome) (${own('function:registrar_invocations:grown5m')})`),
          legend: '{{outcome}}',
        },
      ],
    },
    {
      title: 'Latency of functions, 95 %',
      description: 'Without what comes before them: the gateway, and their start.',
      unit: 's',
      queries: [
        {
          expr: `histogram_quantile(0.95, ${own('function:registrar_invocation_duration_seconds_bucket:grown5m')})`,
          legend: '{{function}}',
        },
      ],
    },
    {
      title: 'Cold starts in 5 minutes',
      description: 'Processes that came to serve.',
      unit: 'short',
      queries: [{ expr: own('function:registrar_cold_starts:grown5m'), legend: '{{function}}' }],
    },
    {
      title: 'Cache hit rate',
      unit: percent,
      queries: [{ expr: own('function:registrar_cache_hits:ratio5m'), legend: '{{function}}' }],
    },
    {
      title: 'Oldest change in the outbox',
      unit: 's',
      queries: [
        { expr: `max by (function) (${own('registrar_outbox_oldest_seconds')})`, legend: '{{function}}' },
      ],
    },
    {
      title: 'Consumer lag',
      description: 'Messages that wait, and those that are under way.',
      unit: 'short',
      queries: [{ expr: gateway('function:registrar_consumer_lag:sum'), legend: '{{function}}' }],
    },
    {
      title: 'Dead letters by worker, in 5 minutes',
      description: 'Usually none, and no line. What lies there now is on the page of the platform.',
      unit: 'short',
      queries: [{ expr: own('function:registrar_dead_letters:grown5m'), legend: '{{function}} {{reason}}' }],
    },
  ]
}

/** What a function's own row has; a job has no cold start of its own, for every run is one. */
export function functionPanels({ name, declaration: { trigger } }: DiscoveredFunction): View[] {
  const of = (metric: string): string => `${metric}{function="${name.full}"}`
  const runs = trigger.kind === 'cron' || trigger.kind === 'job'
  const rate: View = {
    title: runs ? 'Runs by outcome, in 5 minutes' : 'Invocations by outcome',
    unit: runs ? 'short' : 'ops',
    queries: [
      {
        expr: runs
          ? `sum by (outcome) (${of('function:registrar_invocations:grown5m')})`
          : perSecond(`sum by (outcome) (${of('function:registrar_invocations:grown5m')})`),
        legend: '{{outcome}}',
      },
    ],
  }
  if (runs) return [rate]
  return [
    rate,
    {
      title: 'Latency',
      unit: 's',
      description: 'A dot is an invocation: from a slow one to its trace.',
      queries: [
        ...quantiles.map((q) => ({
          expr: `histogram_quantile(${q}, ${of('function:registrar_invocation_duration_seconds_bucket:grown5m')})`,
          legend: `${q * 100} %`,
        })),
        {
          expr: `histogram_quantile(1, ${grown(of('registrar_invocation_duration_seconds_bucket'), ['le'])})`,
          legend: 'slowest, at most',
          exemplars: true,
        },
      ],
    },
    {
      title: 'Cold starts: time to serve, 50 % and 95 %',
      unit: 's',
      queries: [0.5, 0.95].map((q) => ({
        expr: `histogram_quantile(${q}, ${of('function:registrar_cold_start_duration_seconds_bucket:grown5m')})`,
        legend: `${q * 100} %`,
      })),
    },
  ]
}
