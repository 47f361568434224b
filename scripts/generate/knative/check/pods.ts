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

/** Secrets' keys that a pod reads, as `secret/key`: its containers' variables, and the files of its projected volumes. */
export function secretsOf(pod: Pod, { optional = true } = {}): string[] {
  const variables = containersOf(pod).flatMap((container) =>
    envOf(container).flatMap((variable) => {
      const reference = objectAt(variable, 'valueFrom', 'secretKeyRef')
      const { name, key } = reference
      return name === undefined || (at(reference, 'optional') === true && !optional) ? [] : [`${name}/${key}`]
    }),
  )
  const files = listAt(pod.spec, 'volumes')
    .flatMap((volume) => listAt(volume, 'projected', 'sources'))
    .flatMap((source) =>
      listAt(source, 'secret', 'items').map((item) => `${at(source, 'secret', 'name')}/${at(item, 'key')}`),
    )
  return [...variables, ...files]
}

function listAt(value: unknown, ...path: string[]): unknown[] {
  const list = at(value, ...path)
  return Array.isArray(list) ? list : []
}

export function envOf(container: object): object[] {
  const env = at(container, 'env')
  return Array.isArray(env) ? env : []
}
