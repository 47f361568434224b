import type { IScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import { type StreamTrigger, scalingOf } from '../../../shared/spec/define-function.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { namespace } from './manifest.ts'
import { aliveProbe, containerOf, labelsOf, metadataOf, podLabelsOf, port, readyAction } from './pod.ts'

/**
 * NATS' monitoring port, from which KEDA reads consumers. The headless Service: KEDA asks the server that leads the
 * consumer by its own name, `<server>.<host>`.
 */
export const monitoringEndpoint = `nats-headless.${namespace}.svc.cluster.local:8222`

/** The pull worker of a stream function. It has no disruption budget: what is at rest at zero keeps nothing available. */
export function workerOf(found: DiscoveredFunction): IDeployment {
  const { timeout } = scalingOf(found.declaration)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(found),
    // No replicas: they are KEDA's, and what is said here would be set again by each apply.
    spec: {
      selector: { matchLabels: labelsOf(found) },
      // Two versions may work at once: effects are idempotent, and consumers give each message to one of them.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: podLabelsOf(found) },
        spec: {
          serviceAccountName: found.name.slug,
          enableServiceLinks: false,
          // Above the longest message, for the autoscaler ends pods that are at work; what is left over comes again.
          terminationGracePeriodSeconds: timeout + 15,
          containers: [
            {
              ...containerOf(found),
              ports: [{ name: 'http', containerPort: port }],
              readinessProbe: { ...readyAction, periodSeconds: 5 },
              livenessProbe: aliveProbe,
            },
          ],
        },
      },
    },
  }
}

/**
 * Scales the worker by the lag of its consumer: messages that wait, and those under way. Under way are at most
 * MAX_ACK_PENDING, which all instances share. The threshold is above it: what one instance may hold by itself, or keeps giving
 * back while its database is away, asks for no second one. And since one does as many at a time as it has connections to its
 * database, 6 or 10, the ten instances that a declaration allows have work at 64.
 */
export function scalerOf(found: DiscoveredFunction, { stream }: StreamTrigger): IScaledObject {
  const { min, max, concurrency, window } = scalingOf(found.declaration)
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: found.name.slug, labels: labelsOf(found) },
    spec: {
      scaleTargetRef: { name: found.name.slug },
      minReplicaCount: min,
      maxReplicaCount: max,
      pollingInterval: 5,
      // From the last one to none; the way down to one is the HPA's, below.
      cooldownPeriod: window,
      // Lag that cannot be read: one instance works on, rather than none or all of them.
      fallback: { failureThreshold: 3, replicas: Math.max(1, min) },
      advanced: {
        horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: window } } },
      },
      triggers: [
        {
          type: 'nats-jetstream',
          metricType: 'AverageValue',
          metadata: {
            natsServerMonitoringEndpoint: monitoringEndpoint,
            account: '$G',
            stream,
            consumer: found.name.slug,
            lagThreshold: `${concurrency}`,
            activationLagThreshold: '0',
          },
        },
      ],
    },
  }
}
