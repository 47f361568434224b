import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { overlay, withoutKubectl } from './check/kustomize.ts'

/*
 * The platforms' own word: Knative's SetDefaults and Validate, KEDA's parser, strict types of Kubernetes
 * (../shared/tools/cluster). It is built from Go modules, which takes minutes, so that it is made beforehand.
 */
const root = join(import.meta.dirname, '../../..')
const tool = join(root, '../shared/tools/cluster/cluster')
const withoutGo = spawnSync('go', ['version']).error !== undefined
const missing = [
  ...(existsSync(tool) ? [] : ['../shared/tools/cluster is not there']),
  ...(withoutGo ? ['Go is not there'] : []),
  ...(withoutKubectl ? ['kubectl is not there'] : []),
]
if (missing.length === 0 && !existsSync(binary())) {
  missing.push('it is not built: ../shared/tools/cluster/cluster build validate')
  // Where it could be built, CI has to have done so.
  if (process.env['CI']) throw new Error(`cluster validate cannot be run: ${missing.join(', ')}`)
}
const skipped = missing.length > 0
if (skipped) console.warn(`cluster validate is SKIPPED: ${missing.join(', ')}`)

function binary(): string {
  const { stdout } = spawnSync(tool, ['env'], { encoding: 'utf8' })
  return join(/^export CLUSTER_DIR=(.+)$/m.exec(stdout)?.[1] ?? '', 'bin/validate')
}

interface Verdict {
  readonly code: number
  readonly lines: readonly string[]
}

function validate(...paths: string[]): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    execFile(tool, ['validate', ...paths], { maxBuffer: 16 * 1024 * 1024 }, (error, out, err) => {
      const code = error ? Number(error.code) : 0
      if (code > 1 || !out.includes('document(s)')) {
        reject(new Error(err || out))
      } else resolve({ code, lines: out.trim().split('\n') })
    })
  })
}

/** Kinds of the projects whose code it has; the schemas in Node are the only word on the others. */
const known = /^(v1|apps\/|batch\/|policy\/|networking\.k8s\.io\/|rbac\.|serving\.knative\.dev\/|keda\.sh\/)/

describe.skipIf(skipped)('cluster validate', () => {
  it('finds nothing to say about any overlay', async () => {
    const out = await mkdtemp(join(tmpdir(), 'registrar-validate-'))
    try {
      // Each in a folder of its own: a ScaledObject is looked up beside its Deployment.
      for (const name of await readdir(join(root, 'knative/overlays'))) {
        const manifests = (await overlay(name)).filter(({ apiVersion }) => known.test(apiVersion))
        const file = join(out, `${name}.yaml`)
        await writeFile(file, manifests.map((one) => JSON.stringify(one)).join('\n---\n'))
        expect([name, await validate(file)]).toEqual([
          name,
          { code: 0, lines: [`${manifests.length} document(s), 0 problem(s)`] },
        ])
      }
    } finally {
      await rm(out, { recursive: true })
    }
  })

  it('refuses every broken manifest that the types of a project can tell', async () => {
    // Required fields, names, values of labels and enums are not in Go's types: a server sees them, and the schemas do.
    const beyond = [
      'cron-job-policy',
      'deployment-label-value',
      'deployment-name',
      'deployment-secret-without-key',
      'deployment-without-selector',
    ]
    const folder = join(import.meta.dirname, 'check/broken')
    const { code, lines } = await validate(folder)
    expect(code).toBe(1)
    const refused = new Set(lines.map((line) => basename(line.split(':')[0] ?? '', '.yaml')))
    const files = (await readdir(folder)).map((file) => basename(file, '.yaml'))
    expect(files.filter((file) => !refused.has(file))).toEqual(beyond)
  })
})
