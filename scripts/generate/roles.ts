import { rightsOf } from '../../shared/adapters/postgres-rights.ts'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import { needsOf } from '../../shared/spec/needs.ts'

/** The functions that work on a database of their service, for which the initializer makes roles in Postgres. */
export function roles(functions: readonly DiscoveredFunction[]): string {
  const list = functions.flatMap(({ name: { slug, service }, declaration }) => {
    const needs = needsOf(declaration).filter((need) => rightsOf(service, [need]).length > 0)
    return needs.length > 0 ? [{ function: slug, service, needs }] : []
  })
  return `${JSON.stringify(list, null, 2)}\n`
}
