import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import { disruptionBudgetOf } from './knative/disruption.ts'
import { eventServiceOf, triggerOf } from './knative/eventing.ts'
import { cronJobOf, jobOf } from './knative/job.ts'
import { kustomization, manifestFile } from './knative/manifest.ts'
import { planHash } from './knative/plan-hash.ts'
import { accountOf } from './knative/pod.ts'
import { serviceOf } from './knative/service.ts'
import { scalerOf, workerOf } from './knative/worker.ts'

/** The folder whose files are all generated. */
export const generatedFolder = 'knative/generated'

/**
 * What is deployed to Knative, by path: `functions` (Services, one a file as `kn service apply -f` wants them, the Job,
 * CronJobs), `workers` (Deployments that KEDA scales), and `eventing`, which an overlay may take instead of `workers`.
 */
export async function knative(
  root: string,
  functions: readonly DiscoveredFunction[],
): Promise<ReadonlyMap<string, string>> {
  const plan = await planHash(root, functions)
  return new Map([
    ...folder('functions', functions, (found) => {
      const { trigger } = found.declaration
      switch (trigger.kind) {
        case 'http':
        case 'grpc':
          return [serviceOf(found)]
        case 'job':
          return [jobOf(found, plan)]
        case 'cron':
          return [cronJobOf(found, trigger)]
        case 'stream':
          return []
        default:
          return trigger satisfies never
      }
    }),
    ...folder('workers', functions, (found) => {
      const { trigger } = found.declaration
      return trigger.kind === 'stream' ? [workerOf(found), scalerOf(found, trigger)] : []
    }),
    ...folder('eventing', functions, (found) => {
      const { trigger } = found.declaration
      return trigger.kind === 'stream' ? [eventServiceOf(found), triggerOf(found, trigger)] : []
    }),
    [`${generatedFolder}/kustomization.yaml`, kustomization(['functions', 'workers'])],
  ])
}

/** One kustomization: a file for each function that it has something of, and their accounts in one. */
function folder(
  name: string,
  functions: readonly DiscoveredFunction[],
  manifestsOf: (found: DiscoveredFunction) => readonly object[],
): [path: string, content: string][] {
  const members = functions.filter((found) => manifestsOf(found).length > 0)
  const budgets = members.flatMap(disruptionBudgetOf)
  const files: [string, string][] = [
    ...members.map((found): [string, string] => [
      `${found.name.slug}.yaml`,
      manifestFile(manifestsOf(found)),
    ]),
    ['accounts.yaml', manifestFile(members.map(accountOf))],
    ...(budgets.length > 0 ? [['disruption-budgets.yaml', manifestFile(budgets)] as [string, string]] : []),
  ]
  const all: [string, string][] = [
    ...files,
    ['kustomization.yaml', kustomization(files.map(([file]) => file))],
  ]
  return all.map(([file, content]) => [`${generatedFolder}/${name}/${file}`, content])
}
