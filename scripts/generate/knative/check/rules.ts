import { at, objectAt } from './at.ts'
import { type Problem, pathOf } from './problem.ts'

/** What schemas leave open and the platforms refuse, or worse, ignore. `cluster validate` has the platforms' own word. */
export function ruleProblems(manifest: object): Problem[] {
  const kind = at(manifest, 'kind')
  const own =
    kind === 'ScaledObject'
      ? triggerProblems(manifest)
      : kind === 'Service' && String(at(manifest, 'apiVersion')).startsWith('serving.')
        ? serviceProblems(manifest)
        : []
  return [...nameProblems(manifest), ...own]
}

function nameProblems(manifest: object): Problem[] {
  const name = at(manifest, 'metadata', 'name')
  if (name === undefined) return [{ path: 'metadata.name', text: 'is missing' }]
  const found = label.test(String(name).replaceAll('.', '-'))
    ? []
    : [{ path: 'metadata.name', text: 'is no name' }]
  return [
    ...found,
    ...labelProblems(manifest, ['metadata', 'labels']),
    ...labelProblems(manifest, ['spec', 'template', 'metadata', 'labels']),
  ]
}

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const labelValue = /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/

function labelProblems(manifest: object, path: readonly string[]): Problem[] {
  return Object.entries(objectAt(manifest, ...path))
    .filter(([, value]) => typeof value === 'string' && !labelValue.test(value))
    .map(([key]) => ({ path: pathOf([...path, key]), text: 'is no value of a label' }))
}

/** Of the scaler nats-jetstream: KEDA 2.21, schema/generated/scalers-schema.json. */
const jetStream: Readonly<Record<string, { readonly required?: true; readonly value: RegExp }>> = {
  natsServerMonitoringEndpoint: { required: true, value: /^[\w.-]+:\d+$/ },
  stream: { required: true, value: /^\w+$/ },
  consumer: { required: true, value: /^[\w-]+$/ },
  account: { value: /^[\w$]+$/ },
  accountID: { value: /^\w+$/ },
  lagThreshold: { value: /^\d+$/ },
  activationLagThreshold: { value: /^\d+$/ },
  useHttps: { value: /^(true|false)$/ },
}

function triggerProblems(manifest: object): Problem[] {
  const triggers = at(manifest, 'spec', 'triggers')
  return (Array.isArray(triggers) ? triggers : []).flatMap((trigger: object, index) => {
    const path = ['spec', 'triggers', index]
    const type = at(trigger, 'type')
    if (type !== 'nats-jetstream')
      return [{ path: pathOf([...path, 'type']), text: `the parameters of ${type} are not known` }]
    const given = objectAt(trigger, 'metadata')
    const missing = Object.entries(jetStream).filter(([name, { required }]) => required && !(name in given))
    return [
      ...missing.map(([name]) => ({ path: pathOf([...path, 'metadata', name]), text: 'is missing' })),
      ...Object.entries(given).flatMap(([name, value]) => {
        const at = pathOf([...path, 'metadata', name])
        const known = jetStream[name]
        if (!known) return [{ path: at, text: 'the scaler knows no such parameter' }]
        return known.value.test(String(value)) ? [] : [{ path: at, text: 'is no value of this parameter' }]
      }),
    ]
  })
}

const autoscaling = /^autoscaling\.knative\.dev\//
/** https://knative.dev/docs/serving/autoscaling: what is misspelled does nothing, and nobody says so. */
const autoscalingKeys = new Set(
  [
    ...['class', 'metric', 'metric-aggregation-algorithm', 'target', 'target-utilization-percentage'],
    ...['target-burst-capacity', 'min-scale', 'max-scale', 'initial-scale', 'activation-scale'],
    ...['scale-down-delay', 'scale-to-zero-pod-retention-period', 'window'],
    ...['panic-window-percentage', 'panic-threshold-percentage'],
  ].map((key) => `autoscaling.knative.dev/${key}`),
)
/** Of the queue-proxy, and of what Knative keeps for itself. */
const reservedPorts = [8008, 8012, 8013, 8022, 9090, 9091]

function serviceProblems(manifest: object): Problem[] {
  const containers = at(manifest, 'spec', 'template', 'spec', 'containers')
  return [
    ...annotationProblems(manifest),
    ...(Array.isArray(containers) ? containers : []).flatMap(containerProblems),
  ]
}

function annotationProblems(manifest: object): Problem[] {
  const own = ['metadata', 'annotations']
  const template = ['spec', 'template', 'metadata', 'annotations']
  const keys = (path: readonly string[]) =>
    Object.keys(objectAt(manifest, ...path)).filter((key) => autoscaling.test(key))
  return [
    ...keys(own).map((key) => ({
      path: pathOf([...own, key]),
      text: 'does nothing here, but in spec.template',
    })),
    ...keys(template)
      .filter((key) => !autoscalingKeys.has(key))
      .map((key) => ({ path: pathOf([...template, key]), text: 'there is no such annotation' })),
  ]
}

function containerProblems(container: object, index: number): Problem[] {
  const path = ['spec', 'template', 'spec', 'containers', index]
  const ports = at(container, 'ports')
  const list: readonly object[] = Array.isArray(ports) ? ports : []
  const found: Problem[] = []
  if (list.length > 1) found.push({ path: pathOf([...path, 'ports']), text: 'only one port is allowed' })
  for (const [i, port] of list.entries()) {
    const of = [...path, 'ports', i]
    if (!['h2c', 'http1', '', undefined].includes(at(port, 'name') as string | undefined))
      found.push({ path: pathOf([...of, 'name']), text: 'is h2c, http1 or nothing' })
    if (reservedPorts.includes(Number(at(port, 'containerPort'))))
      found.push({ path: pathOf([...of, 'containerPort']), text: 'is reserved' })
  }
  const probe = objectAt(container, 'readinessProbe')
  for (const field of ['failureThreshold', 'timeoutSeconds'])
    if (probe['periodSeconds'] === 0 && field in probe)
      found.push({
        path: pathOf([...path, 'readinessProbe', field]),
        text: 'is not allowed when periodSeconds is 0',
      })
  return found
}
