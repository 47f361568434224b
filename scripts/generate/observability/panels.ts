import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common'
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as LogsBuilder } from '@grafana/grafana-foundation-sdk/logs'
import { DataqueryBuilder as LokiBuilder } from '@grafana/grafana-foundation-sdk/loki'
import { DataqueryBuilder as PrometheusBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** By their uids in grafana/datasources.yml. */
export const prometheus: DataSourceRef = { type: 'prometheus', uid: 'prometheus' }
export const loki: DataSourceRef = { type: 'loki', uid: 'loki' }

export interface Query {
  readonly expr: string
  /** `{{function}}` */
  readonly legend: string
  /** With dots for single observations, which lead to their traces; only what looks at a counter itself has some. */
  readonly exemplars?: true
}

export interface View {
  readonly title: string
  readonly unit: string
  readonly queries: readonly Query[]
  /** Columns of 24. */
  readonly span?: number
  readonly description?: string
}

const letters = 'ABCDEFGH'

function target({ expr, legend, exemplars }: Query, index: number): Builder<Dataquery> {
  const query = new PrometheusBuilder()
    .datasource(prometheus)
    .expr(expr)
    .legendFormat(legend)
    .refId(letters[index] ?? 'A')
  return exemplars ? query.exemplar(true) : query
}

export function lines({ title, unit, queries, span = 8, description }: View): Builder<Panel> {
  const panel = new TimeseriesBuilder()
    .title(title)
    .datasource(prometheus)
    .unit(unit)
    .span(span)
    .height(8)
    .min(0)
    .targets(queries.map(target))
  return description === undefined ? panel : panel.description(description)
}

export function numbers({ title, unit, queries, span = 6, description }: View): Builder<Panel> {
  const panel = new StatBuilder()
    .title(title)
    .datasource(prometheus)
    .unit(unit)
    .span(span)
    .height(4)
    .targets(queries.map(target))
  return description === undefined ? panel : panel.description(description)
}

/** Log lines; each links its trace, as grafana/datasources.yml says. */
export function logLines(title: string, expr: string): Builder<Panel> {
  return new LogsBuilder()
    .title(title)
    .datasource(loki)
    .span(24)
    .height(10)
    .showTime(true)
    .enableLogDetails(true)
    .targets([new LokiBuilder().datasource(loki).expr(expr).refId('A')])
}
