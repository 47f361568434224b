import { presentIds } from '../enrolment/links.ts'
import type { Aggregate } from './aggregate.ts'

/** The cache namespaces that a change touches: its own, the lists, and those that embed it on either side of it. */
export function staleAfter(before: readonly string[], { id, links }: Aggregate<unknown>): string[] {
  const others = new Set([...before, ...presentIds(links)])
  return [`id:${id}`, 'list', ...[...others].map((other) => `by:${other}`)]
}
