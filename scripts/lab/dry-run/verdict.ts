import type { Manifest } from '../../generate/knative/manifest.ts'
import type { Ran } from '../ran.ts'

/**
 * Those of an API group that the server has, and the others. A version or a kind that a known group has not is its to refuse.
 * @param kinds as `kubectl api-resources --no-headers` tells them: NAME, SHORTNAMES where there are any, APIVERSION, NAMESPACED, KIND
 */
export function askable(
  manifests: readonly Manifest[],
  kinds: string,
): { asked: Manifest[]; unknown: Manifest[] } {
  const known = new Set(kinds.split('\n').map((line) => groupOf(line.trim().split(/\s+/).at(-3) ?? '')))
  const isKnown = ({ apiVersion }: Manifest): boolean => known.has(groupOf(apiVersion))
  return { asked: manifests.filter(isKnown), unknown: manifests.filter((one) => !isKnown(one)) }
}

/** Empty for the core's. */
const groupOf = (apiVersion: string): string => apiVersion.split('/').slice(0, -1).join('/')

/** Every complaint of `kubectl apply --dry-run=server`, its warnings too; none where each object was taken. */
export function refusalsOf({ code, out, err }: Ran, objects: number): string[] {
  const taken = out.split('\n').filter((line) => line.endsWith(' serverside-applied (server dry run)')).length
  const complaints = err.split('\n').filter((line) => line.trim() !== '')
  if (complaints.length > 0 || (code === 0 && taken === objects)) return complaints
  return [`of ${objects} objects ${taken} were taken, and kubectl ended with ${code}`]
}

/** kubectl's words for an object that the server or a webhook refuses. */
const refusal =
  /^The .+ is invalid|^Error from server(?:: (?!etcdserver)| \((?:BadRequest|Invalid)\): )|no matches for kind /m

/** A failure alone is none: where a server is away, or fails itself, whatever it is asked fails. */
export const isRefusal = ({ code, err }: Ran): boolean => code !== 0 && refusal.test(err)
