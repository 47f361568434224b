import type { IEnvVar } from 'kubernetes-models/v1/EnvVar'
import { secretNames } from '../../../shared/config.ts'
import { type Backing, backingOf } from '../../../shared/spec/backing.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { functionName } from '../../../shared/spec/names.ts'
import { rolesSecret, secretKeyOf } from '../../credentials/secrets.ts'
import { namespace } from './manifest.ts'

/** Functions that are reached by URL themselves: those that answer lookups. */
const lookups: Readonly<Partial<Record<Backing, string>>> = {
  STUDENTS_BY_COURSE_URL: 'students/by-course',
  COURSES_BY_STUDENT_URL: 'courses/by-student',
}

/** Where the URL behind a variable comes from: the key `url` of a Secret, or the host of a function. */
function sourceOf(variable: Backing): { readonly secret: string } | { readonly lookup: string } {
  const lookup = lookups[variable]
  if (lookup) return { lookup }
  const secret = secretNames[variable]
  if (!secret) throw new Error(`${variable}: neither a Secret nor a function is known by it`)
  return { secret }
}

/** The URLs that a function needs, and no others, each as the function's own where it is somebody of its own. */
export function backingEnv(found: DiscoveredFunction): IEnvVar[] {
  const { name, declaration } = found
  const urls = backingOf(name, declaration).map((variable): IEnvVar => {
    const source = sourceOf(variable)
    if ('lookup' in source) return { name: variable, value: `http://${hostOf(source.lookup)}` }
    const secretKeyRef = { name: source.secret, key: secretKeyOf(variable, found) }
    return { name: variable, valueFrom: { secretKeyRef } }
  })
  if (!declaration.needs.includes('provisioners')) return urls
  // Without it no roles are made: the functions' URLs are then somebody else's work.
  const secretKeyRef = { name: rolesSecret, key: 'key', optional: true }
  return [...urls, { name: 'ROLES_KEY', valueFrom: { secretKeyRef } }]
}

/** Labels that the network policies of knative/base and of the overlays select by: what a pod may talk to. */
export function reachLabels({ name, declaration }: DiscoveredFunction): Record<string, string> {
  return Object.fromEntries(
    backingOf(name, declaration).map((variable) => {
      const source = sourceOf(variable)
      const reached = 'secret' in source ? source.secret.replace(/^registrar-/, '') : 'lookups'
      return [`registrar/reaches-${reached}`, 'true']
    }),
  )
}

/** Answered by Knative's own gateway inside the cluster, which starts the function where none runs. */
function hostOf(full: string): string {
  return `${functionName(full).slug}.${namespace}.svc.cluster.local`
}
