import { setTimeout as sleep } from 'node:timers/promises'
import { type Item, list } from './kubectl.ts'
import { type Scene, slugsOf } from './scene.ts'

/** Each sweeper's CronJob makes Jobs that come to their end. One that could not reach its database fails, and the next mends it. */
export async function sweepers(scene: Scene): Promise<void> {
  for (const slug of slugsOf(scene, 'cron'))
    await scene.checks.check(`the CronJob of ${slug} runs`, async () => {
      for (const end = Date.now() + 130_000; ; await sleep(1000)) {
        const jobs = await list('jobs', `app.kubernetes.io/name=${slug}`)
        const newest = jobs.toSorted(byName).at(-1)
        if (Number(newest?.status?.['succeeded'] ?? 0) > 0) break
        if (Date.now() > end) throw new Error('the newest has not come to its end within two minutes')
      }
      const runs = [...scene.pods.all.values()].filter((pod) => pod.slug === slug)
      const failed = runs.filter(({ badEnds }) => badEnds.size > 0)
      return `${runs.length} runs, ${failed.length} of them failed`
    })
}

/** Which ends with the minute that it is of. */
const byName = (a: Item, b: Item): number => (a.metadata.name < b.metadata.name ? -1 : 1)
