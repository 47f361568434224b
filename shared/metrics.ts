import type { Registry } from 'prom-client'
import { cacheRequests, durations, invocations } from './tallies.ts'

/**
 * prom-client costs milliseconds to load, which a cold start should not pay: what happens before the first scrape is
 * kept as closures and handed over when somebody asks.
 */
type Instruments = Awaited<ReturnType<typeof load>>

let loaded: Instruments | undefined
let loading: Promise<Instruments> | undefined
const early: ((instruments: Instruments) => void)[] = []
/** Enough to see a burst through; more and loading is the lesser cost. */
const mostEarly = 1000

async function load() {
  const { Registry, Counter, Gauge, Histogram, collectDefaultMetrics } = await import('prom-client')
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  // Of what happens with every request they only tell: see tallies.ts.
  new Counter({
    name: 'registrar_invocations_total',
    help: 'Invocations of the function',
    labelNames: ['function', 'trigger', 'method', 'outcome'] as const,
    registers,
    collect() {
      this.reset()
      for (const { labels, count } of invocations) this.inc(labels, count)
    },
  })
  registry.registerMetric(
    durations('registrar_invocation_duration_seconds', 'Time that an invocation took', invocations),
  )
  new Counter({
    name: 'registrar_cache_requests_total',
    help: 'Reads through the cache, by what became of them',
    labelNames: ['function', 'result'] as const,
    registers,
    collect() {
      this.reset()
      for (const { labels, count } of cacheRequests) this.inc(labels, count)
    },
  })
  const instruments = {
    registry,
    deadLetters: new Counter({
      name: 'registrar_dead_letters_total',
      help: 'Messages put into the dead letter stream',
      labelNames: ['function', 'reason'] as const,
      registers,
    }),
    outboxAge: new Gauge({
      name: 'registrar_outbox_oldest_seconds',
      help: 'Age of the oldest outbox entry that was not sent yet; 0 when there is none',
      labelNames: ['function'] as const,
      registers,
    }),
    coldStarts: new Histogram({
      name: 'registrar_cold_start_duration_seconds',
      help: 'Time from the start of a process until it serves',
      labelNames: ['function'] as const,
      buckets: [0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5],
      registers,
    }),
    drift: new Gauge({
      name: 'registrar_drift_differences',
      help: 'Differences between what the functions need and what is there, as the initializer left them',
      labelNames: ['function'] as const,
      registers,
    }),
  }
  loaded = instruments
  for (const observe of early.splice(0)) observe(instruments)
  return instruments
}

function record(observe: (instruments: Instruments) => void): void {
  if (loaded) {
    observe(loaded)
    return
  }
  early.push(observe)
  if (early.length >= mostEarly) loading ??= load()
}

export function observeDeadLetter(fn: string, reason: string): void {
  record(({ deadLetters }) => deadLetters.inc({ function: fn, reason }))
}

export function observeOutboxAge(fn: string, seconds: number): void {
  record(({ outboxAge }) => outboxAge.set({ function: fn }, seconds))
}

/** Once for each process that came to serve. */
export function observeColdStart(fn: string, seconds: number): void {
  record(({ coldStarts }) => coldStarts.observe({ function: fn }, seconds))
}

export function observeDrift(fn: string, differences: number): void {
  record(({ drift }) => drift.set({ function: fn }, differences))
}

/** The registry with everything that was observed so far. */
export async function metrics(): Promise<Registry> {
  loading ??= load()
  return (await loading).registry
}
