import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** Where configurations, rules and dashboards lie. */
export const folder = join(import.meta.dirname, '../../knative/base/observability')

export const read = (path: string): string => readFileSync(join(folder, path), 'utf8')

interface Panel {
  readonly title?: string
  readonly type: string
  readonly datasource?: { readonly uid: string }
  readonly targets?: readonly {
    readonly expr: string
    readonly exemplar?: boolean
    readonly datasource: { readonly uid: string }
  }[]
  readonly panels?: readonly Panel[]
}

export interface Page {
  readonly uid: string
  readonly title: string
  readonly tags: readonly string[]
  readonly description: string
  readonly panels: readonly Panel[]
}

/** The dashboards' files, by their names. */
export function pages(): Map<string, Page> {
  const files = readdirSync(join(folder, 'grafana/dashboards')).filter((name) => name.endsWith('.json'))
  return new Map(
    files.map((name): [string, Page] => [name.slice(0, -5), JSON.parse(read(`grafana/dashboards/${name}`))]),
  )
}

/** Panels, those of collapsed rows too. */
export const panelsOf = (panels: readonly Panel[]): Panel[] =>
  panels.flatMap((panel) => [panel, ...panelsOf(panel.panels ?? [])])

export interface Asked {
  /** `students: Cache hit rate` */
  readonly where: string
  readonly expr: string
  readonly datasource: string
  /** Whether it asks for the exemplars of what it looks at. */
  readonly exemplars: boolean
}

/** Every query of every page. */
export function queries(): Asked[] {
  return [...pages()].flatMap(([name, { panels }]) =>
    panelsOf(panels).flatMap(({ title, targets = [] }) =>
      targets.map(({ expr, datasource, exemplar = false }) => ({
        where: `${name}: ${title}`,
        expr,
        datasource: datasource.uid,
        exemplars: exemplar,
      })),
    ),
  )
}

export interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly annotations?: Readonly<Record<string, string>>
}

export function rulesOf(path: string): Rule[] {
  const { groups }: { groups: readonly { rules: Rule[] }[] } = parse(read(path))
  return groups.flatMap(({ rules }) => rules)
}
