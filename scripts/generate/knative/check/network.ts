import type { Manifest } from '../manifest.ts'
import { at, objectAt } from './at.ts'
import type { Pod } from './pods.ts'

type Direction = 'ingress' | 'egress'

/** What the policies of a set open for a pod, as `peer:port`; undefined where none holds it to anything. */
export function opened(manifests: readonly Manifest[], pod: Pod, direction: Direction): string[] | undefined {
  const type = direction === 'ingress' ? 'Ingress' : 'Egress'
  const policies = manifests.filter(
    (one) =>
      one.kind === 'NetworkPolicy' &&
      at(one, 'metadata', 'namespace') === pod.namespace &&
      list(one, 'spec', 'policyTypes').includes(type) &&
      selects(at(one, 'spec', 'podSelector'), pod.labels),
  )
  if (policies.length === 0) return undefined
  const peers = direction === 'ingress' ? 'from' : 'to'
  const all = policies.flatMap((policy) =>
    list(policy, 'spec', direction).flatMap((rule) =>
      list(rule, peers).flatMap((peer) =>
        list(rule, 'ports').map((port) => `${peerName(peer)}:${at(port, 'port')}`),
      ),
    ),
  )
  return [...new Set(all)].toSorted()
}

/** Whether a label selector takes a pod; of the operators those that are used here. */
export function selects(selector: unknown, labels: Readonly<Record<string, unknown>>): boolean {
  const exact = Object.entries(objectAt(selector, 'matchLabels')).every(
    ([key, value]) => labels[key] === value,
  )
  return (
    exact &&
    list(selector, 'matchExpressions').every((expression) => {
      const { key, operator, values } = objectAt(expression)
      const label = labels[String(key)]
      if (operator === 'Exists') return label !== undefined
      if (operator === 'In' && Array.isArray(values)) return values.includes(label)
      throw new Error(`an operator that this does not know: ${operator}`)
    })
  )
}

function peerName(peer: unknown): string {
  const cidr = at(peer, 'ipBlock', 'cidr')
  if (cidr !== undefined) return String(cidr)
  const namespaces = selected(at(peer, 'namespaceSelector'))
  const pods = selected(at(peer, 'podSelector'))
  return [pods, namespaces].filter((part) => part !== '').join('/')
}

/** The values of a selector, and the keys of those that are just set. */
function selected(selector: unknown): string {
  const values = list(selector, 'matchExpressions').flatMap((one) => list(one, 'values'))
  const labels = Object.entries(objectAt(selector, 'matchLabels'))
  return [...labels.map(([key, value]) => (value === 'true' ? key : value)), ...values].join('|')
}

function list(value: unknown, ...path: string[]): unknown[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? found : []
}
