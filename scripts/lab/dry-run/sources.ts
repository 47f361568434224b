import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { documentsOf } from '../../generate/knative/check/documents.ts'
import { build } from '../../generate/knative/check/kustomize.ts'
import type { Manifest } from '../../generate/knative/manifest.ts'

/** What is applied in one go. */
export interface Source {
  readonly name: string
  /** Where objects go that say none; an overlay's all do. */
  readonly namespace: string | undefined
  readonly manifests: readonly Manifest[]
}

/** Every overlay, each generated file alone, and what is in no overlay but applied all the same. */
export async function sourcesOf(root: string): Promise<Source[]> {
  const overlays = (await readdir(join(root, 'knative/overlays'))).map((name) => `knative/overlays/${name}`)
  const folders = ['knative/base/observability/pod-monitors', 'kong/kic']
  const generated = await readdir(join(root, 'knative/generated'), { recursive: true })
  const files = generated.filter((file) => file.endsWith('.yaml') && !file.endsWith('kustomization.yaml'))
  const paths = [
    'knative/base/secrets.example.yaml',
    ...files.toSorted().map((file) => `knative/generated/${file}`),
  ]
  return Promise.all([
    ...overlays.map(async (name) => source(name, await build(name), undefined)),
    ...folders.map(async (name) => source(name, await build(name), 'registrar')),
    ...paths.map(async (name) => source(name, await readFile(join(root, name), 'utf8'), 'registrar')),
  ])
}

const source = (name: string, yaml: string, namespace: string | undefined): Source => ({
  name,
  namespace,
  manifests: documentsOf(yaml),
})
