import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IEnvVar } from 'kubernetes-models/v1/EnvVar'
import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { scalingOf } from '../../../shared/spec/define-function.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { defaultRegistry, defaultTag, imageName } from '../../images/name.ts'
import { backingEnv, reachLabels } from './backing.ts'

/** The port of every image, reserved by no platform. */
export const port = 8080

/** The image as `npm run images` names it; an overlay puts its own registry and tag (knative/components/release). */
export const imageOf = (slug: string): string => `${defaultRegistry}/${imageName(slug)}:${defaultTag}`

/** Of the object itself. */
export function labelsOf({ name, declaration }: DiscoveredFunction) {
  return {
    'app.kubernetes.io/name': name.slug,
    'app.kubernetes.io/component': declaration.trigger.kind,
    'app.kubernetes.io/part-of': 'registrar',
  }
}

/** Of the pods: what they are, and what they reach. */
export const podLabelsOf = (found: DiscoveredFunction): Record<string, string> => ({
  ...labelsOf(found),
  ...reachLabels(found),
})

export const metadataOf = (found: DiscoveredFunction) => ({
  name: found.name.slug,
  labels: labelsOf(found),
  annotations: { 'registrar/function': found.name.full, 'registrar/summary': found.declaration.summary },
})

/** Each function is somebody of its own, with no rights at all: none of them asks Kubernetes anything. */
export const accountOf = (found: DiscoveredFunction): IServiceAccount => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: found.name.slug, labels: labelsOf(found) },
  automountServiceAccountToken: false,
})

/** The function's container, without what differs by trigger: ports and probes. */
export function containerOf(found: DiscoveredFunction): Omit<IContainer, 'image'> & { image: string } {
  const { memory, cpu } = scalingOf(found.declaration)
  return {
    name: 'function',
    image: imageOf(found.name.slug),
    env: [...backingEnv(found), ...settings(found)],
    resources: {
      // No limit of CPU: a cold start takes what is idle. Memory is asked for whole, for it cannot be taken back.
      requests: { cpu: `${cpu}m`, memory: `${memory}Mi` },
      limits: { memory: `${memory}Mi` },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  }
}

/** On the port of the function, but never an invocation of it. */
export const aliveProbe = {
  httpGet: { path: '/_/health', port },
  periodSeconds: 10,
  timeoutSeconds: 5,
  // A minute without an answer is a process that hangs, not one that is busy.
  failureThreshold: 6,
}

export const readyAction = { httpGet: { path: '/_/ready', port } }

/** From the one ConfigMap of settings, in which everything may be missing. */
function settings({ declaration: { trigger, needs } }: DiscoveredFunction): IEnvVar[] {
  const provisions = needs.includes('provisioners')
  const names = [
    ...(trigger.kind === 'stream' || provisions ? ['MAX_ACK_PENDING'] : []),
    ...(provisions ? ['STREAM_REPLICAS'] : []),
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  ]
  return names.map((name) => ({
    name,
    valueFrom: { configMapKeyRef: { name: 'registrar-settings', key: name, optional: true } },
  }))
}
