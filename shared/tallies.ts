import type { Metric } from 'prom-client'
import type { Exemplar } from './exposition.ts'

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
  /** The last invocation of each bucket, and of those beyond the last bound. */
  readonly latest: Latest[]
}

interface Latest {
  traceId: string
  seconds: number
  /** In milliseconds since 1970. */
  at: number
}

/**
 * Counts of what happens with every request. prom-client hashes the labels of each observation, twice for a histogram,
 * which is a fifteenth of a cached answer: here they are compared, and prom-client is told at a scrape.
 */
export const invocations: InvocationTally[] = []

const invoked = Symbol.for('registrar.invoked')

export function observeInvocation(of: InvocationLabels, seconds: number, traceId: string): void {
  const tally = invocationTally(of)
  tally.count++
  tally.sum += seconds
  let i = 0
  while (i < durationBounds.length && seconds > (durationBounds[i] ?? 0)) i++
  if (i < durationBounds.length) tally.buckets[i] = (tally.buckets[i] ?? 0) + 1
  const latest = tally.latest[i]
  // Written over: an object for each invocation, kept by one that is old, is what a collector is slowest at.
  if (latest) {
    latest.traceId = traceId
    latest.seconds = seconds
    latest.at = Date.now()
  } else tally.latest[i] = { traceId, seconds, at: Date.now() }
}

/** A process has a handful of them: to look at each costs less than to make a key. */
function invocationTally(of: InvocationLabels): InvocationTally {
  for (const tally of invocations) {
    const { labels } = tally
    if (
      labels.outcome === of.outcome &&
      labels.method === of.method &&
      labels.function === of.function &&
      labels.trigger === of.trigger
    )
      return tally
  }
  // Read by start.cjs, which is outside the bundle: now its code cache is worth keeping.
  Reflect.set(globalThis, invoked, true)
  const labels = { function: of.function, trigger: of.trigger, method: of.method, outcome: of.outcome }
  const made = { labels, count: 0, sum: 0, buckets: durationBounds.map(() => 0), latest: [] }
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
function samples(name: string, { labels, count, sum, buckets, latest }: InvocationTally): object[] {
  let upTo = 0
  const bucket = (le: number | string, value: number, i: number): object => ({
    metricName: `${name}_bucket`,
    labels: { le, ...labels },
    value,
    exemplar: exemplarOf(latest[i]),
  })
  return [
    ...durationBounds.map((le, i) => {
      upTo += buckets[i] ?? 0
      return bucket(le, upTo, i)
    }),
    bucket('+Inf', count, durationBounds.length),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}

const exemplarOf = (latest: Latest | undefined): Exemplar | undefined =>
  latest && { labelSet: { trace_id: latest.traceId }, value: latest.seconds, timestamp: latest.at / 1000 }
