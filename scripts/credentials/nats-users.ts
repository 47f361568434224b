import { type Permissions, permissionsOf } from '../../shared/adapters/nats-permissions.ts'
import { backingOf } from '../../shared/spec/backing.ts'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import { consumersOf } from '../generate/consumers.ts'

/** Functions that are users of NATS. The initializer is not: it comes as the owner. */
export const natsFunctions = (functions: readonly DiscoveredFunction[]): DiscoveredFunction[] =>
  functions.filter(
    ({ name, declaration }) =>
      !declaration.needs.includes('provisioners') && backingOf(name, declaration).includes('EVENTS_URL'),
  )

/** Each function as an entry of the list `users` of NATS' configuration, which may publish and subscribe to its own alone. */
export function natsUsers(
  functions: readonly DiscoveredFunction[],
  passwordOf: (slug: string) => string,
): string {
  const consumers = consumersOf(functions)
  return natsFunctions(functions)
    .map(({ name, declaration }) =>
      userOf(name.slug, passwordOf(name.slug), permissionsOf(name, declaration, consumers)),
    )
    .join('')
}

function userOf(user: string, password: string, { publish, subscribe }: Permissions): string {
  const list = (subjects: readonly string[]): string => JSON.stringify(subjects)
  return `    { user: "${user}", password: ${password}
      permissions { publish: ${list(publish)}, subscribe: ${list(subscribe)} } }
`
}
