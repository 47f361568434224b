import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { scalingOf } from '../../../shared/spec/define-function.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { labelsOf } from './pod.ts'

/**
 * Only where a declaration keeps two or more at rest: what scales from zero starts elsewhere at the next request, and a
 * budget for a single one would keep its node from ever being drained.
 */
export function disruptionBudgetOf(found: DiscoveredFunction): IPodDisruptionBudget[] {
  if (scalingOf(found.declaration).min < 2) return []
  return [
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: found.name.slug, labels: labelsOf(found) },
      spec: { maxUnavailable: 1, selector: { matchLabels: labelsOf(found) } },
    },
  ]
}
