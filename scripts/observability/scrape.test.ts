import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { discoverFunctions } from '../../shared/spec/discover.ts'
import { read } from './files.ts'
import { missing, promtool } from './scraped.ts'

const root = join(import.meta.dirname, '../..')
const dir = mkdtempSync(join(tmpdir(), 'registrar-scrape-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const without = missing('promtool')
if (without && process.env['CI']) throw new Error(without)
if (without) process.stderr.write(`SKIPPED: most of scripts/observability/scrape.test.ts: ${without}\n`)

interface Job {
  readonly job_name: string
  readonly kubernetes_sd_configs?: readonly {
    readonly role: string
    readonly namespaces: { readonly names: string[] }
  }[]
}

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly template?: Template
    readonly jobTemplate?: { readonly spec: { readonly template: Template } }
  }
}

interface Template {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
}

const cluster: { scrape_configs: Job[] } = parse(read('prometheus/prometheus.yml'))

/** What Kubernetes would tell of a pod of each generated manifest: a target for each port of it. */
function podsOfManifests(): { targets: string[]; labels: Record<string, string> }[] {
  const generated = join(root, 'knative/generated')
  const files = ['functions', 'workers'].flatMap((name) =>
    readdirSync(join(generated, name)).map((file) => join(generated, name, file)),
  )
  const manifests = files.flatMap((file) =>
    parseAllDocuments(readFileSync(file, 'utf8')).map((document): Manifest => document.toJS()),
  )
  const templated = manifests.filter(({ kind }) => ['Service', 'Deployment', 'Job', 'CronJob'].includes(kind))
  return templated.flatMap(({ metadata, spec }, index) => {
    const labels = (spec.template ?? spec.jobTemplate?.spec.template)?.metadata?.labels ?? {}
    const ip = `10.0.0.${index + 1}`
    return [8080, 8012, 9090].map((port) => ({
      targets: [`${ip}:${port}`],
      labels: {
        __meta_kubernetes_pod_ip: ip,
        __meta_kubernetes_pod_name: `${metadata.name}-pod`,
        __meta_kubernetes_pod_phase: 'Running',
        ...Object.fromEntries(
          Object.entries(labels).map(([key, value]) => [
            `__meta_kubernetes_pod_label_${key.replaceAll(/\W/g, '_')}`,
            value,
          ]),
        ),
      },
    }))
  })
}

/** Debian's promtool knows all but Kubernetes' discovery: its targets come from a file instead. */
function withoutKubernetes(targets: object[]): string {
  writeFileSync(join(dir, 'pods.json'), JSON.stringify(targets))
  const file = join(dir, 'prometheus.yml')
  const scrape_configs = cluster.scrape_configs.map(({ kubernetes_sd_configs: asked, ...job }) =>
    asked ? { ...job, file_sd_configs: [{ files: ['pods.json'] }] } : job,
  )
  writeFileSync(file, stringify({ ...cluster, scrape_configs, rule_files: [] }))
  return file
}

describe.skipIf(without)('on a cluster', () => {
  it('the configuration is one', async () => {
    const { code, said } = await promtool('check', 'config', withoutKubernetes([]))
    expect(code, said).toBe(0)
  })

  it('each function that serves is scraped once, past the queue-proxy, under its name; jobs are not', async () => {
    const file = withoutKubernetes(podsOfManifests())
    const { answer, said } = await promtool('check', 'service-discovery', '--timeout=5s', file, 'registrar')
    const at = answer.indexOf('[\n')
    expect(at, said).not.toBe(-1)
    const found: { labels: Record<string, string> }[] = JSON.parse(answer.slice(at))
    const kept = found.filter(({ labels }) => labels && Object.keys(labels).length > 0)
    const shown = new Set(
      kept.map(({ labels }) =>
        JSON.stringify([labels['function'], labels['__address__']?.split(':')[1], labels['instance']]),
      ),
    )
    const serving = (await discoverFunctions(root)).filter(({ declaration: { trigger } }) =>
      ['http', 'grpc', 'stream'].includes(trigger.kind),
    )
    expect([...shown].sort()).toEqual(
      serving.map(({ name }) => JSON.stringify([name.full, '8080', `${name.slug}-pod`])).sort(),
    )
  })
})

it('the places ask for the same jobs; a cluster asks Kubernetes for pods of two namespaces', () => {
  const jobs = (path: string): string[] =>
    parse(read(path)).scrape_configs.map(({ job_name }: Job) => job_name)
  expect(jobs('prometheus/prometheus.compose.yml')).toEqual(jobs('prometheus/prometheus.yml'))
  expect(jobs('prometheus/prometheus.yml')).toEqual(
    expect.arrayContaining(jobs('prometheus/prometheus.local.yml')),
  )
  const asked = cluster.scrape_configs.flatMap(({ kubernetes_sd_configs = [] }) => kubernetes_sd_configs)
  expect(asked).toEqual([
    { role: 'pod', namespaces: { names: ['registrar'] } },
    { role: 'pod', namespaces: { names: ['kong'] } },
  ])
})

it('the alert about targets is about every job but that of the functions, and about nobody else', () => {
  const alerts = parse(read('prometheus/rules/alerts.yml')).groups.flatMap(
    ({ rules }: { rules: readonly { alert: string; expr: string }[] }) => rules,
  )
  const { expr } = alerts.find(({ alert }: { alert: string }) => alert === 'RegistrarTargetDown')
  const [, jobs] = /^up\{job=~"([a-z|]+)"\} == 0/.exec(expr) ?? []
  const scraped = cluster.scrape_configs.map(({ job_name }) => job_name)
  expect(jobs?.split('|').sort()).toEqual(scraped.filter((job) => job !== 'registrar').sort())
})
