import { isConfined } from './container.ts'
import { type Scene, slugsOf } from './scene.ts'

/** What the pods of the whole run were, as the kernel told. */
export async function limits(scene: Scene): Promise<void> {
  const { checks, pods, observer } = scene
  // Of runs that may fail their own way the CronJobs' check tells; and they can be over before anybody has looked.
  const runs = slugsOf(scene, 'cron', 'job')
  const seen = [...observer.bySlug]
  await checks.check(
    'pods run as 65532 with a read-only root, no capabilities, no new privileges, and seccomp',
    async () => {
      pods.checkWhole()
      const served = new Set([...pods.all.values()].filter(({ ready }) => ready).map(({ slug }) => slug))
      const unseen = [...served].filter(
        (slug) => !runs.includes(slug) && !observer.bySlug.get(slug)?.confinement,
      )
      const loose = seen.filter(([, { confinement: one }]) => one && !isConfined(one))
      if (unseen.length > 0) throw new Error(`these were not seen: ${unseen.join(', ')}`)
      if (loose.length > 0) throw new Error(JSON.stringify(loose))
      return `${seen.reduce((sum, [, one]) => sum + one.pods, 0)} pods of ${seen.length} functions`
    },
  )
  await checks.check('no pod came to its memory limit, was killed or started again', async () => {
    pods.checkWhole()
    const reached = seen.filter(([, one]) => one.reached > 0).map(([slug]) => slug)
    const ended = [...pods.all.values()].filter(
      ({ slug, restarts, badEnds }) =>
        restarts > 0 || [...badEnds].some((one) => !runs.includes(slug) || one.includes('OOMKilled')),
    )
    const words = [
      ...reached.map((slug) => `${slug} came to its limit`),
      ...ended.map(
        ({ name, restarts, badEnds }) => `${name}: ${restarts} restarts, ${[...badEnds].join(', ')}`,
      ),
    ]
    if (words.length > 0) throw new Error(words.join('\n'))
    const [slug, most] = seen.toSorted(([, a], [, b]) => b.peak - a.peak)[0] ?? []
    return `${slug} had most: ${Math.round((most?.peak ?? 0) / 2 ** 20)} of ${Math.round((most?.limit ?? 0) / 2 ** 20)} MiB`
  })
}
