/** Parts of queries that rules and dashboards share. */

/** Over which what functions count is looked at; their rules are evaluated far more often. */
export const shortWindow = '5m'
const shortSeconds = 300

/**
 * What counters grew by within the window, one that was not there before by all that it has. `increase()` would know
 * nothing of that: it is the whole of what a process counts that comes from zero, answers once and goes.
 */
export function grown(counter: string, by: readonly string[], window = shortWindow): string {
  const since = `clamp_min(max_over_time(${counter}[${window}]) - ${counter} offset ${window}, 0)`
  return `sum by (${by.join(', ')}) (${since} or max_over_time(${counter}[${window}]))`
}

/** Of what grew within the short window, how much a second. */
export const perSecond = (growth: string): string => `${growth} / ${shortSeconds}`

/**
 * Service and function of what may be the function's slug, its full name, or the name that the Kong Ingress Controller makes
 * of its Service: `registrar.kong-students-get.80`.
 */
export const nameParts = '(?:[a-z0-9-]+[.])*(?:kong-)?([a-z]+)[/-]([a-z-]+)(?:[.][a-z0-9.-]+)?'

/** Labels `service` and `function` out of `from`. */
export function named(vector: string, from: 'service' | 'function' | 'consumer_name'): string {
  const functions = `label_replace(${vector}, "function", "$1/$2", "${from}", "${nameParts}")`
  return `label_replace(${functions}, "service", "$1", "function", "([a-z]+)/.+")`
}

/** Prometheus 3 writes the bounds of buckets as 1.0, older ones as 1. */
export const bound = (seconds: number): string => `le=~"${seconds}([.]0)?"`
