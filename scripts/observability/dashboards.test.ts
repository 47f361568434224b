import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { defineFunction } from '../../shared/spec/define-function.ts'
import { discoverFunctions } from '../../shared/spec/discover.ts'
import { functionName } from '../../shared/spec/names.ts'
import { alerts } from '../generate/observability/alert-rules.ts'
import { observability } from '../generate/observability/observability.ts'
import { nameParts } from '../generate/observability/promql.ts'
import { folder, pages, panelsOf, queries, read } from './files.ts'

const root = join(import.meta.dirname, '../..')
const functions = await discoverFunctions(root)
const all = pages()

it('the files are what the declarations give', () => {
  for (const [path, content] of observability(functions))
    expect(readFileSync(join(root, path), 'utf8'), path).toBe(content)
})

it('there is a page for each service and one for the platform, with an id of its own, that says that it is generated', () => {
  expect([...all.keys()].sort()).toEqual(['courses', 'platform', 'students'])
  for (const [name, { uid, title, tags, description }] of all) {
    expect([uid, title]).toEqual([`registrar-${name}`, `Registrar: ${name}`])
    expect(tags).toContain('registrar')
    expect(description).toMatch(/^GENERATED/)
  }
})

it('every function has a place, and its own queries', () => {
  for (const { name } of functions) {
    const own = queries().filter(({ expr }) => expr.includes(`function="${name.full}"`))
    expect(own.length, name.full).toBeGreaterThan(0)
    expect(new Set(own.map(({ where }) => where.split(':')[0]))).toEqual(new Set([name.service]))
  }
})

it('a service that comes has a page, a function a row, a sweeper an alert, a server a target', () => {
  const declaration = defineFunction({
    summary: 'Counts rooms',
    trigger: { kind: 'cron', schedule: '* * * * *' },
    needs: ['outbox'],
  })
  const added = [
    { name: functionName('rooms/sweep'), dir: '', declaration },
    {
      name: functionName('rooms/enrol'),
      dir: '',
      declaration: defineFunction({
        summary: 'Enrols',
        trigger: { kind: 'stream', stream: 'S', subject: 's' },
        needs: [],
      }),
    },
  ]
  const files = observability([...functions, ...added])
  expect(files.get('knative/base/observability/grafana/dashboards/rooms.json')).toContain(
    'rooms/enrol: Enrols',
  )
  expect(files.get('knative/base/observability/grafana/dashboards/kustomization.yaml')).toContain(
    'rooms.json',
  )
  expect(files.get('knative/base/observability/prometheus/targets/functions.yml')).toContain(
    'rooms-enrol:8080',
  )
  expect(alerts([...functions, ...added]).filter(({ expr }) => expr.includes('rooms/sweep'))).toHaveLength(1)
})

it('a function is known by the name that each gateway has for it', () => {
  const parts = new RegExp(`^${nameParts}$`)
  const known = (name: string): string => name.replace(parts, '$1/$2')
  const http = functions.filter(({ declaration }) => declaration.trigger.kind === 'http')
  expect(functions.map(({ name }) => [known(name.slug), known(name.full)])).toEqual(
    functions.map(({ name }) => [name.full, name.full]),
  )
  // The Ingress Controller joins namespace, Service and port.
  const services = parseAllDocuments(readFileSync(join(root, 'kong/kic/functions.yaml'), 'utf8'))
    .map((document) => document.toJS())
    .filter(({ kind }) => kind === 'Service')
  const asked = services.flatMap(({ metadata: { namespace, name } }) =>
    ['80', 'pnum-80'].map((port) => known(`${namespace}.${name}.${port}`)),
  )
  expect(asked).toEqual(http.flatMap(({ name }) => [name.full, name.full]))
})

it('panels ask what Grafana is given, and overlap nowhere', () => {
  const { datasources }: { datasources: { uid: string; type: string }[] } = parse(
    read('grafana/datasources.yml'),
  )
  const uids = datasources.map(({ uid }) => uid)
  for (const { where, datasource } of queries()) expect(uids, where).toContain(datasource)
  for (const [name, { panels }] of all) {
    const placed = panels.flatMap((panel) =>
      'gridPos' in panel ? [panel.gridPos as Record<'x' | 'y' | 'w' | 'h', number>] : [],
    )
    for (const { x, w } of placed) expect(x + w).toBeLessThanOrEqual(24)
    const cells = placed.flatMap(({ x, y, w, h }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    )
    expect(new Set(cells).size, name).toBe(cells.length)
    expect(panelsOf(panels).length).toBeGreaterThan(8)
  }
})

it('Grafana finds its pages where they are mounted', () => {
  const { providers }: { providers: { options: { path: string } }[] } = parse(read('grafana/providers.yml'))
  expect(providers[0]?.options.path).toBe('/var/lib/grafana/dashboards')
  expect(readFileSync(join(folder, 'grafana/grafana.yaml'), 'utf8')).toContain(
    'mountPath: /var/lib/grafana/dashboards',
  )
})
