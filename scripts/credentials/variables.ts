import { backingOf } from '../../shared/spec/backing.ts'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'

/** `STUDENTS_GET_PASSWORD`: where a file of ours takes a function's password from the environment. */
export const variableOf = (slug: string): string => `${slug.replaceAll('-', '_').toUpperCase()}_PASSWORD`

/** The functions that are somebody of their own at Postgres (which has the students) or NATS, and their variables. */
export const passwordVariables = (
  functions: readonly DiscoveredFunction[],
): { readonly slug: string; readonly variable: string }[] =>
  functions
    .filter(({ name, declaration }) => {
      const reached = backingOf(name, declaration)
      const own = reached.includes('STUDENTS_URL') || reached.includes('EVENTS_URL')
      return own && !declaration.needs.includes('provisioners')
    })
    .map(({ name: { slug } }) => ({ slug, variable: variableOf(slug) }))
