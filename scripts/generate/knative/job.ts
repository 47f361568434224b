import { createHash } from 'node:crypto'
import type { ICronJob } from 'kubernetes-models/batch/v1/CronJob'
import type { IJob } from 'kubernetes-models/batch/v1/Job'
import type { IEnvVar } from 'kubernetes-models/v1/EnvVar'
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec'
import { type CronTrigger, scalingOf } from '../../../shared/spec/define-function.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { exitCodes } from '../../../shared/spec/exit-codes.ts'
import { defaultTag } from '../../images/name.ts'
import { containerOf, metadataOf, podLabelsOf } from './pod.ts'

/**
 * The Job of a function that is run once. A Job cannot be changed: a hash of what it is to make and of how it is run, and the
 * image's tag, end its name, so that whatever changes makes a new one.
 */
export function jobOf(found: DiscoveredFunction, plan: string): IJob {
  const metadata = metadataOf(found)
  const spec: IJob['spec'] = {
    // It waits for its servers by itself; a try that failed for another reason is made good, for fifteen minutes.
    backoffLimit: 20,
    activeDeadlineSeconds: 900,
    // But not where somebody has to decide first: then it has failed at once, and its log says of what.
    podFailurePolicy: {
      rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [exitCodes.needsSomebody] } }],
    },
    ttlSecondsAfterFinished: 3600,
    // Each try in a pod of its own, whose log stays.
    template: runOnce(found, [{ name: 'WAIT_SECONDS', value: '600' }]),
  }
  const hash = createHash('sha256').update(plan).update(JSON.stringify(spec)).digest('hex').slice(0, 8)
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...metadata, name: `${found.name.slug}-${hash}-${defaultTag}` },
    spec,
  }
}

export function cronJobOf(found: DiscoveredFunction, { schedule }: CronTrigger): ICronJob {
  const { timeout } = scalingOf(found.declaration)
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: metadataOf(found),
    spec: {
      schedule,
      timeZone: 'Etc/UTC',
      // A tick that is missed or fails is made up for by the next.
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 30,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        spec: {
          backoffLimit: 0,
          // Its own time, and that of getting a node and the image.
          activeDeadlineSeconds: timeout + 60,
          template: runOnce(found),
        },
      },
    },
  }
}

function runOnce(found: DiscoveredFunction, more: readonly IEnvVar[] = []): IPodTemplateSpec {
  const container = containerOf(found)
  return {
    metadata: { labels: podLabelsOf(found) },
    spec: {
      serviceAccountName: found.name.slug,
      enableServiceLinks: false,
      restartPolicy: 'Never',
      containers: [{ ...container, env: [...(container.env ?? []), ...more] }],
    },
  }
}
