import type { IService } from '@kubernetes-models/knative/serving.knative.dev/v1/Service'
import { type Scaling, scalingOf } from '../../../shared/spec/define-function.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { aliveProbe, containerOf, metadataOf, podLabelsOf, port, readyAction } from './pod.ts'

/** The Knative Service of an HTTP or gRPC function. */
export function serviceOf(found: DiscoveredFunction): IService {
  const grpc = found.declaration.trigger.kind === 'grpc'
  return knativeService(found, {
    ...containerOf(found),
    // h2c tells Knative to speak HTTP/2 all the way, as gRPC needs.
    ports: [{ name: grpc ? 'h2c' : 'http1', containerPort: port }],
    // Period 0 is Knative's own probe, many times a second until the first success: a cold start waits for no period.
    readinessProbe: { ...readyAction, periodSeconds: 0, successThreshold: 1 },
    livenessProbe: aliveProbe,
  })
}

/** Seconds without a request that queue-proxy waits for at its end (drainSleepDuration, knative.dev/serving/pkg/queue/sharedmain). */
const queueProxyDrain = 30

type Template = NonNullable<NonNullable<IService['spec']>['template']>
export type KnativeContainer = NonNullable<Template['spec']>['containers'][number]

/** A Knative Service around a container, scaled as the function's declaration says. */
export function knativeService(found: DiscoveredFunction, container: KnativeContainer): IService {
  const scaling = scalingOf(found.declaration)
  const { labels, ...metadata } = metadataOf(found)
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: {
      ...metadata,
      // Nobody calls a function from outside the cluster but through Kong, which knows of keys and limits.
      labels: { ...labels, 'networking.knative.dev/visibility': 'cluster-local' },
    },
    spec: {
      template: {
        metadata: { labels: podLabelsOf(found), annotations: autoscaling(scaling) },
        spec: {
          serviceAccountName: found.name.slug,
          enableServiceLinks: false,
          containerConcurrency: scaling.concurrency,
          // Longest request; and, by Knative, how long Kubernetes waits for a pod that it ends. A function ends its own requests
          // at its timeout. What is longer is for the pod's end: SIGTERM comes when queue-proxy has had no request for 30 s.
          timeoutSeconds: scaling.timeout + queueProxyDrain,
          containers: [container],
        },
      },
      // Knative's own default, said: else a share that somebody gave an older revision by hand would outlive the next apply.
      traffic: [{ latestRevision: true, percent: 100 }],
    },
  }
}

function autoscaling({ min, max, concurrency, window }: Scaling): Record<string, string> {
  const prefix = 'autoscaling.knative.dev'
  return {
    [`${prefix}/class`]: 'kpa.autoscaling.knative.dev',
    [`${prefix}/metric`]: 'concurrency',
    [`${prefix}/target`]: `${concurrency}`,
    [`${prefix}/min-scale`]: `${min}`,
    [`${prefix}/max-scale`]: `${max}`,
    [`${prefix}/window`]: `${window}s`,
  }
}
