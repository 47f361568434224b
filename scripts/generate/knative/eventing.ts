import type { ITrigger } from '@kubernetes-models/knative/eventing.knative.dev/v1/Trigger'
import type { IService } from '@kubernetes-models/knative/serving.knative.dev/v1/Service'
import type { StreamTrigger } from '../../../shared/spec/define-function.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { eventsSlug } from '../../images/name.ts'
import { containerOf, imageOf, labelsOf, port } from './pod.ts'
import { knativeService } from './service.ts'

/** The Broker of knative/overlays/eventing. */
const broker = 'registrar'

/** The `cloudEvent` form of a stream function: the same handler under functions-framework, called by a Trigger. */
export function eventServiceOf(found: DiscoveredFunction): IService {
  const container = containerOf(found)
  return knativeService(found, {
    ...container,
    // One image for all of them: the framework and the sources. As an argument, not as FUNCTION_TARGET: what the framework's
    // CLI leaves to us, the drivers' early connections and the end on a wrong configuration, is set up by it.
    image: imageOf(eventsSlug),
    args: [`--target=${found.name.slug}`],
    ports: [{ name: 'http1', containerPort: port }],
    // Under the framework every path invokes the function, so probes only see whether it listens.
    readinessProbe: { tcpSocket: { port }, periodSeconds: 0, successThreshold: 1 },
  })
}

/** Brings the function the events of its subject; their type is the subject that the message was published to. */
export function triggerOf(found: DiscoveredFunction, { subject }: StreamTrigger): ITrigger {
  return {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { name: found.name.slug, labels: labelsOf(found) },
    spec: {
      broker,
      filter: { attributes: { type: subject } },
      subscriber: {
        ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: found.name.slug },
      },
      // The function buries what can never succeed itself, and answers 5xx for the rest: 17 minutes of tries in all. What fails
      // for longer is given up, and comes back by `npm run reconcile -- --repair`.
      delivery: { retry: 20, backoffPolicy: 'linear', backoffDelay: 'PT5S' },
    },
  }
}
