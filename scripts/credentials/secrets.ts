import { ownSecretName, secretNames } from '../../shared/config.ts'
import { urlFor } from '../../shared/provision/credentials.ts'
import { backingOf } from '../../shared/spec/backing.ts'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import { type UrlName, urlNames } from '../local/configuration.ts'

/** The servers' URLs as their owner has them, which the initializer alone is given. */
export type OwnerUrls = Readonly<Record<UrlName, string>>

/** Values by key, by the name of the Secret. */
export type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Servers at which each function may be somebody of its own. */
const personal: ReadonlySet<string> = new Set(['STUDENTS_URL', 'COURSES_URL', 'EVENTS_URL'])

/** The key of a Secret under which a function's own URL is: the owner's, `url`, is the initializer's and the cache's. */
export function secretKeyOf(variable: string, { name, declaration }: DiscoveredFunction): string {
  return personal.has(variable) && !declaration.needs.includes('provisioners') ? name.slug : 'url'
}

/** Where a secret is a name and a value: the name by each variable that a function needs one for. */
export function secretNamesOf({ name, declaration }: DiscoveredFunction): Record<string, string> {
  const provisions = declaration.needs.includes('provisioners')
  const variables = [...backingOf(name, declaration), ...(provisions ? ['ROLES_KEY'] : [])]
  return Object.fromEntries(
    variables.flatMap((variable) => {
      const secret = (provisions ? undefined : ownSecretName(variable, name.slug)) ?? secretNames[variable]
      return secret === undefined ? [] : [[variable, secret]]
    }),
  )
}

/** The Secrets that functions refer to. Without a roles key they all come to the servers as the owner. */
export function secretsOf(functions: readonly DiscoveredFunction[], urls: OwnerUrls, key?: string): Secrets {
  const ofServers = urlNames.map((variable) => {
    const url = urls[variable]
    const own = functions
      .filter(({ name, declaration }) => backingOf(name, declaration).includes(variable))
      .map((found): [string, string] => {
        const at = secretKeyOf(variable, found)
        return [at, key === undefined || at === 'url' ? url : urlFor(found.name.slug, url, key)]
      })
    return [secretNames[variable] ?? variable, { url, ...Object.fromEntries(own) }]
  })
  return { ...Object.fromEntries(ofServers), ...(key === undefined ? {} : { [rolesSecret]: { key } }) }
}

export const rolesSecret = 'registrar-roles'

/** As manifests, one a Secret. */
export const manifestsOf = (secrets: Secrets, namespace?: string): object[] =>
  Object.entries(secrets).map(([name, stringData]) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    stringData,
  }))
