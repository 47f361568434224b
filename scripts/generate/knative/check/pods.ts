import type { Manifest } from '../manifest.ts'
import { at, objectAt } from './at.ts'

/** The pods that an object makes: their labels and their spec. */
export interface Pod {
  readonly owner: string
  readonly namespace: unknown
  readonly labels: Readonly<Record<string, unknown>>
  readonly spec: unknown
}

/** How the pods of Knative's Services are known: Knative itself puts this label on them. */
export const knativeLabel = 'serving.knative.dev/service'

export function podsOf(manifests: readonly Manifest[]): Pod[] {
  return manifests.flatMap((manifest) => {
    const path =
      manifest.kind === 'CronJob' ? ['spec', 'jobTemplate', 'spec', 'template'] : ['spec', 'template']
    const spec = at(manifest, ...path, 'spec')
    if (spec === undefined || manifest.kind === 'ExternalSecret') return []
    const name = manifest.metadata?.name ?? ''
    const knative = manifest.apiVersion.startsWith('serving.knative.dev/') ? { [knativeLabel]: name } : {}
    const labels = { ...objectAt(manifest, ...path, 'metadata', 'labels'), ...knative }
    const namespace = at(manifest, 'metadata', 'namespace')
    return [{ owner: `${manifest.kind}/${name}`, namespace, labels, spec }]
  })
}

export function containersOf({ spec }: Pod): object[] {
  return ['initContainers', 'containers'].flatMap((field) => {
    const list = at(spec, field)
    return Array.isArray(list) ? list : []
  })
}

/** Secrets' keys that a pod's containers read, as `secret/key`. */
export function secretsOf(pod: Pod): string[] {
  return containersOf(pod).flatMap((container) =>
    envOf(container).flatMap((variable) => {
      const { name, key } = objectAt(variable, 'valueFrom', 'secretKeyRef')
      return name === undefined ? [] : [`${name}/${key}`]
    }),
  )
}

export function envOf(container: object): object[] {
  const env = at(container, 'env')
  return Array.isArray(env) ? env : []
}
