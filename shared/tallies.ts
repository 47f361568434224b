import type { Metric } from 'prom-client'

/** Upper bounds of the durations that are told apart, in seconds. */
export const durationBounds: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

export interface InvocationLabels {
  readonly function: string
  readonly trigger: string
  readonly method: string
  readonly outcome: string
}

/** All invocations of one set of labels. */
export interface InvocationTally {
  readonly labels: InvocationLabels
  count: number
  /** In seconds. */
  sum: number
  /** How many took longer than the bound before and no longer than this one; those beyond the last are in `count` alone. */
  readonly buckets: number[]
}

/**
 * Counts of what happens with every request. prom-client hashes the labels of each observation, twice for a histogram,
 * which is a fifteenth of a cached answer: here they are compared, and prom-client is told at a scrape.
 */
export const invocations: InvocationTally[] = []

const invoked = Symbol.for('registrar.invoked')

export function observeInvocation(
  fn: string,
  trigger: string,
  method: string,
  outcome: string,
  seconds: number,
): void {
  const tally = invocationTally(fn, trigger, method, outcome)
  tally.count++
  tally.sum += seconds
  for (let i = 0; i < durationBounds.length; i++) {
    if (seconds > (durationBounds[i] ?? 0)) continue
    tally.buckets[i] = (tally.buckets[i] ?? 0) + 1
    return
  }
}

/** A process has a handful of them: to look at each costs less than to make a key. */
function invocationTally(fn: string, trigger: string, method: string, outcome: string): InvocationTally {
  for (const tally of invocations) {
    const { labels } = tally
    if (
      labels.outcome === outcome &&
      labels.method === method &&
      labels.function === fn &&
      labels.trigger === trigger
    )
      return tally
  }
  // Read by start.cjs, which is outside the bundle: now its code cache is worth keeping.
  Reflect.set(globalThis, invoked, true)
  const labels = { function: fn, trigger, method, outcome }
  const made = { labels, count: 0, sum: 0, buckets: durationBounds.map(() => 0) }
  invocations.push(made)
  return made
}

export type CacheResult = 'hit' | 'miss' | 'bypass'

export interface CacheTally {
  readonly labels: { readonly function: string; readonly result: CacheResult }
  count: number
}

export const cacheRequests: CacheTally[] = []

export function observeCache(fn: string, result: CacheResult): void {
  for (const tally of cacheRequests) {
    if (tally.labels.result !== result || tally.labels.function !== fn) continue
    tally.count++
    return
  }
  cacheRequests.push({ labels: { function: fn, result }, count: 1 })
}

/** A histogram for a registry of prom-client's, which can only be told of one observation at a time. */
export function durations(name: string, help: string, tallies: readonly InvocationTally[]): Metric {
  const told = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    get: async () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: tallies.flatMap((tally) => samples(name, tally)),
    }),
  }
  // Its declarations want the class; a registry calls nothing but `get`.
  return told as unknown as Metric
}

/** As the exposition format has them: each bucket counts all up to its bound. */
function samples(name: string, { labels, count, sum, buckets }: InvocationTally): object[] {
  let upTo = 0
  return [
    ...durationBounds.map((le, i) => {
      upTo += buckets[i] ?? 0
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: upTo }
    }),
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
