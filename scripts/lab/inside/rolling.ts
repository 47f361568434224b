import { setTimeout as sleep } from 'node:timers/promises'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { ask } from './ask.ts'
import { kubectl } from './kubectl.ts'
import { Load } from './load.ts'
import { type Scene, slugsOf } from './scene.ts'

export interface Updated {
  readonly slug: string
  readonly asked: number
  readonly lost: number
  /** Seconds from the change until the new revision was to take all requests. */
  readonly took: number
}

/** Of one update: fewer would see little of it. */
const leastAsked = 50

/** A new revision of each function that answers, while clients ask for it. */
export async function rolling(scene: Scene): Promise<Updated[]> {
  const updated: Updated[] = []
  const slugs = slugsOf(scene, 'http', 'grpc')
  for (const found of scene.functions.filter(({ name }) => slugs.includes(name.slug)))
    await scene.checks.check(
      `a rolling update of ${found.name.slug} under load loses no request`,
      async () => {
        const one = await update(scene, found)
        updated.push(one.updated)
        if (one.updated.lost > 0) throw new Error(`of ${one.updated.asked} requests ${one.why}`)
        return `${one.updated.asked} requests, ${one.updated.took.toFixed(1)} s`
      },
    )
  return updated
}

async function update(scene: Scene, found: DiscoveredFunction): Promise<{ updated: Updated; why: string }> {
  const { slug } = found.name
  const load = new Load((client) => ask(scene, found, client), 4, 50)
  try {
    await sleep(2000)
    const before = await kubectl(
      'get',
      'ksvc',
      slug,
      '--output',
      'jsonpath={.status.latestReadyRevisionName}',
    )
    const next = before.replace(/\d+$/, (digits) => `${Number(digits) + 1}`.padStart(digits.length, '0'))
    const began = Date.now()
    const change = { spec: { template: { metadata: { annotations: { 'registrar/rolled': `${began}` } } } } }
    await kubectl('patch', 'ksvc', slug, '--type', 'merge', '--patch', JSON.stringify(change))
    const taken = `jsonpath={.status.traffic[0].revisionName}=${next}`
    await kubectl('wait', 'ksvc', slug, '--for', taken, '--timeout', '120s')
    const took = (Date.now() - began) / 1000
    // What goes wrong does so in the seconds after: routes and pods learn of it one by one.
    await sleep(5000)
    const { asked, lost } = await load.stop()
    if (asked < leastAsked) throw new Error(`${asked} requests are no load`)
    const count = [...lost.values()].reduce((sum, one) => sum + one, 0)
    const why = [...lost].map(([what, times]) => `${times} × ${what}`).join(', ')
    return { updated: { slug, asked, lost: count, took }, why }
  } finally {
    await load.stop()
  }
}
