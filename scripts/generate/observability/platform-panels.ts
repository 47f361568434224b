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
      {
        title: 'Dead letters',
        unit: 'short',
        queries: [
          { expr: `stream:registrar_messages:max{stream_name="${deadLetter.stream}"}`, legend: 'there' },
        ],
      },
      {
        title: 'Differences that the initializer found',
        unit: 'short',
        queries: [
          {
            expr: 'max by (function) (last_over_time(registrar_drift_differences[15m]))',
            legend: '{{function}}',
          },
        ],
      },
      { title: 'Targets that answer', unit: 'short', queries: [{ expr: 'sum(up)', legend: 'up' }] },
      {
        title: 'Alerts that fire',
        unit: 'short',
        queries: [{ expr: 'count(ALERTS{alertstate="firing"}) or vector(0)', legend: 'firing' }],
      },
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

function streamViews(): View[] {
  return [
    {
      title: 'Messages kept',
      unit: 'short',
      queries: [{ expr: 'stream:registrar_messages:max', legend: '{{stream_name}}' }],
    },
    {
      title: 'Consumer lag',
      unit: 'short',
      queries: [{ expr: 'function:registrar_consumer_lag:sum', legend: '{{function}}' }],
    },
    {
      title: 'Bytes kept',
      unit: 'bytes',
      queries: [
        { expr: 'sum by (server_name) (jetstream_server_total_message_bytes)', legend: '{{server_name}}' },
      ],
    },
  ]
}

function serverViews(): View[] {
  return [
    { title: 'Targets', unit: 'short', queries: [{ expr: 'max by (job) (up)', legend: '{{job}}' }] },
    {
      title: 'Postgres: connections',
      unit: 'short',
      queries: [
        { expr: 'sum by (state) (pg_stat_activity_count)', legend: '{{state}}' },
        { expr: 'max(pg_settings_max_connections)', legend: 'most' },
      ],
    },
    {
      title: 'Postgres: transactions',
      unit: 'ops',
      queries: [
        { expr: 'sum(rate(pg_stat_database_xact_commit[5m]))', legend: 'committed' },
        { expr: 'sum(rate(pg_stat_database_xact_rollback[5m]))', legend: 'rolled back' },
      ],
    },
    {
      title: 'Redis: memory',
      unit: 'bytes',
      queries: [{ expr: 'sum(redis_memory_used_bytes)', legend: 'used' }],
    },
    {
      title: 'Redis: commands',
      unit: 'ops',
      queries: [{ expr: 'sum(rate(redis_commands_processed_total[5m]))', legend: 'processed' }],
    },
    {
      title: 'Memory of functions',
      unit: 'bytes',
      queries: [
        {
          expr: 'sum by (function) (process_resident_memory_bytes{job="registrar"})',
          legend: '{{function}} resident',
        },
      ],
    },
  ]
}
