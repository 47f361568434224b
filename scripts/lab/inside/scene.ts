import type { Trigger } from '../../../shared/spec/define-function.ts'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import type { Output } from '../../local/output.ts'
import type { Checks } from '../checks.ts'
import type { Api } from './api.ts'
import type { Observer } from './observer.ts'
import type { Pods } from './pods.ts'

/** What the steps share once the functions are deployed. */
export interface Scene {
  readonly checks: Checks
  readonly output: Output
  readonly signal: AbortSignal
  readonly pods: Pods
  readonly observer: Observer
  readonly functions: readonly DiscoveredFunction[]
  readonly api: Api
}

/** Slugs of the functions of these kinds. */
export const slugsOf = ({ functions }: Scene, ...kinds: readonly Trigger['kind'][]): string[] =>
  functions.filter(({ declaration }) => kinds.includes(declaration.trigger.kind)).map(({ name }) => name.slug)
