import { stringify } from 'yaml'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { cronJobOf } from '../knative/job.ts'

/**
 * The initializer, asked every ten minutes what it would change: it changes nothing, and pushes how much that is. A run
 * that finds something ends with exit code 2, so that its job is a failed one too.
 */
export function driftCheck(functions: readonly DiscoveredFunction[]): string {
  const initializer = functions.find(({ declaration }) => declaration.needs.includes('provisioners'))
  if (!initializer) throw new Error('no function needs the provisioners: there is nobody to ask what differs')
  const job = cronJobOf(initializer, { kind: 'cron', schedule: '*/10 * * * *' })
  const name = 'platform-drift'
  const template = job.spec?.jobTemplate.spec?.template
  const [container] = template?.spec?.containers ?? []
  if (container) Object.assign(container, { args: ['--check'] })
  // Not the initializer itself, whose pods are known by its own name.
  const labels = { ...job.metadata?.labels, 'app.kubernetes.io/name': name }
  if (template?.metadata)
    Object.assign(template.metadata, { labels: { ...template.metadata.labels, ...labels } })
  return stringify({ ...job, metadata: { ...job.metadata, name, namespace: 'registrar', labels } })
}
