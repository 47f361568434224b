import type { Checks } from '../checks.ts'
import { kubectl, list } from './kubectl.ts'

/** Applies the overlay, as people do, and waits until all of it is there. */
export async function deploy(checks: Checks, overlay: string): Promise<void> {
  await checks.check('kubectl apply -k knative/overlays/lab', async () => {
    const said = await kubectl('apply', '--server-side', '-k', overlay)
    return `${said.trim().split('\n').length} objects`
  })
  await checks.check("the initializer's Job completes", async () => {
    const label = 'app.kubernetes.io/name=platform-initialize'
    await kubectl('wait', 'job', '-l', label, '--for', 'condition=Complete', '--timeout', '180s')
    const [job] = await list('jobs', label)
    return `${job?.status?.['failed'] ?? 0} tries failed before`
  })
  await checks.check('every Knative Service is ready', async () => {
    await kubectl('wait', 'ksvc', '--all', '--for', 'condition=Ready', '--timeout', '300s')
    return undefined
  })
  await checks.check('every ScaledObject is ready', async () => {
    await kubectl('wait', 'scaledobject', '--all', '--for', 'condition=Ready', '--timeout', '60s')
    return undefined
  })
}
