import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import type { Cluster } from './cluster.ts'
import { CommandFailed } from './command.ts'

const namespace = ['--namespace', 'registrar']

const jobs = v.object({
  items: v.array(
    v.object({
      metadata: v.object({ name: v.string() }),
      status: v.optional(
        v.object({
          conditions: v.optional(v.array(v.object({ type: v.string(), status: v.string() })), []),
        }),
      ),
    }),
  ),
})

/**
 * Waits for the initializer, by its label: a new plan or image has a Job of a new name, and an old one may still be there.
 * @throws CommandFailed with what it said, as soon as its Job has failed: that is no use to wait for.
 */
export async function initialized(cluster: Cluster, patience = 960_000): Promise<void> {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(2000)) {
    const label = ['--selector', 'app.kubernetes.io/name=platform-initialize']
    const sorted = ['--sort-by', '.metadata.creationTimestamp', '--output', 'json']
    const { items } = v.parse(
      jobs,
      JSON.parse(await cluster.kubectl(['get', 'jobs', ...namespace, ...label, ...sorted])),
    )
    const newest = items.at(-1)
    const is = (type: string): boolean =>
      newest?.status?.conditions.some((one) => one.type === type && one.status === 'True') ?? false
    if (is('Complete')) return
    if (newest && is('Failed')) {
      const job = `job/${newest.metadata.name}`
      const said = await cluster.kubectl(['logs', job, ...namespace, '--tail', '12']).catch(() => '')
      throw new CommandFailed(`${job} has failed:\n${said.trim()}`)
    }
  }
  throw new CommandFailed('the initializer was not done in time')
}
