import { deadLetter } from '../../../shared/messages/streams.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { burns, objectives } from './objectives.ts'
import type { View } from './panels.ts'
import { functionPanels } from './service-panels.ts'

interface Row {
  readonly title: string
  readonly views: readonly View[]
}

/** What all services stand on. */
export function platformPanels(
  services: readonly string[],
  functions: readonly DiscoveredFunction[],
): { stats: View[]; rows: Row[] } {
  const own = functions.filter(({ name }) => name.service === 'platform')
  return {
    stats: [
      view('Dead letters', 'short', {
        there: `stream:registrar_messages:max{stream_name="${deadLetter.stream}"}`,
      }),
      view('Differences that the initializer found', 'short', {
        '{{function}}': 'max by (function) (last_over_time(registrar_drift_differences[15m]))',
      }),
      view('Targets that answer', 'short', { up: 'sum(up)' }),
      view('Alerts that fire', 'short', { firing: 'count(ALERTS{alertstate="firing"}) or vector(0)' }),
    ],
    rows: [
      { title: 'Objectives: how fast budgets burn, where 1 spends them in thirty days', views: burnViews() },
      { title: 'Streams', views: streamViews() },
      { title: 'Servers', views: serverViews() },
      {
        title: `Functions that ${services.join(' and ')} share`,
        views: own.flatMap((found) =>
          functionPanels(found).map((view) => ({ ...view, title: `${found.name.full}: ${view.title}` })),
        ),
      },
    ],
  }
}

function burnViews(): View[] {
  const windows = burns.map(({ long }) => long)
  const of = (title: string, indicator: string, objective: number): View => ({
    title,
    unit: 'short',
    span: 12,
    queries: windows.map((window) => ({
      expr: `${indicator}${window} / ${Number((1 - objective).toPrecision(6))}`,
      legend: `{{service}} ${window}`,
    })),
  })
  return [
    of('Availability', 'service:registrar_failed_requests:ratio_rate', objectives.availability),
    of('Latency', 'service:registrar_slow_requests:ratio_rate', objectives.latency),
  ]
}

/** One panel: what it shows, in which unit, and its queries with what each is called. */
const view = (title: string, unit: string, queries: Readonly<Record<string, string>>): View => ({
  title,
  unit,
  queries: Object.entries(queries).map(([legend, expr]) => ({ expr, legend })),
})

const streamViews = (): View[] => [
  view('Messages kept', 'short', { '{{stream_name}}': 'stream:registrar_messages:max' }),
  view('Consumer lag', 'short', { '{{function}}': 'function:registrar_consumer_lag:sum' }),
  view('Bytes kept', 'bytes', {
    '{{server_name}}': 'sum by (server_name) (jetstream_server_total_message_bytes)',
  }),
]

const serverViews = (): View[] => [
  view('Targets', 'short', { '{{job}}': 'max by (job) (up)' }),
  view('Postgres: connections', 'short', {
    '{{state}}': 'sum by (state) (pg_stat_activity_count)',
    most: 'max(pg_settings_max_connections)',
  }),
  view('Postgres: transactions', 'ops', {
    committed: 'sum(rate(pg_stat_database_xact_commit[5m]))',
    'rolled back': 'sum(rate(pg_stat_database_xact_rollback[5m]))',
  }),
  view('Redis: memory', 'bytes', { used: 'sum(redis_memory_used_bytes)' }),
  view('Redis: commands', 'ops', { processed: 'sum(rate(redis_commands_processed_total[5m]))' }),
  view('Memory of functions', 'bytes', {
    '{{function}} resident': 'sum by (function) (process_resident_memory_bytes{job="registrar"})',
  }),
]
