import { beforeAll, describe, expect, it } from 'vitest'
import { poolSize } from '../../../shared/adapters/postgres-client.ts'
import { at } from './check/at.ts'
import { overlay, withoutKubectl } from './check/kustomize.ts'
import { containersOf, podsOf } from './check/pods.ts'
import type { Manifest } from './manifest.ts'

/** An operator, the exporter, and those that Postgres keeps for superusers. */
const besides = 15

/** How many instances of what makes a pod there may be: jobs run once at a time. */
function instancesOf(owner: string, manifests: readonly Manifest[]): number {
  const found = manifests.find(({ kind, metadata }) => `${kind}/${metadata?.name}` === owner)
  const scaled = manifests.find(
    (one) =>
      one.kind === 'ScaledObject' && `Deployment/${at(one, 'spec', 'scaleTargetRef', 'name')}` === owner,
  )
  const scale = 'autoscaling.knative.dev/max-scale'
  return Number(
    at(found, 'spec', 'template', 'metadata', 'annotations', scale) ??
      at(scaled, 'spec', 'maxReplicaCount') ??
      1,
  )
}

describe.skipIf(withoutKubectl)('connections to the Postgres of a laptop', () => {
  let manifests: Manifest[] = []
  beforeAll(async () => {
    manifests = await overlay('local')
  }, 180_000)

  it('are enough for the pools of all instances of all functions that the overlay allows', () => {
    const reaching = podsOf(manifests).filter(
      ({ labels }) => labels['registrar/reaches-students-db'] === 'true',
    )
    const instances = reaching.map(({ owner }) => instancesOf(owner, manifests))
    expect(reaching.length).toBeGreaterThanOrEqual(11)
    expect(Math.max(...instances)).toBeGreaterThan(1)

    const postgres = podsOf(manifests).find(({ owner }) => owner === 'StatefulSet/postgres')
    const args = postgres && at(containersOf(postgres)[0], 'args')
    const most = Number(/max_connections=(\d+)/.exec(String(args))?.[1])
    expect(instances.reduce((sum, count) => sum + count, 0) * poolSize + besides).toBeLessThanOrEqual(most)
  })
})
