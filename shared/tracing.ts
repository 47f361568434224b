import {
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'

const w3c = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/

/** A valid `traceparent` (W3C Trace Context), or nothing. */
export function parseTraceparent(value: string | undefined): SpanContext | undefined {
  const match = value === undefined || value.startsWith('ff') ? null : w3c.exec(value)
  if (!match) return undefined
  const [, traceId = '', spanId = '', flags = '00'] = match
  const parsed = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
  return isSpanContextValid(parsed) ? parsed : undefined
}

/** The id of a trace that is carried on; of a new one, where none came. */
export const traceIdOf = (traceparent: string | undefined): string =>
  parseTraceparent(traceparent)?.traceId ?? randomHex(16)

/** One traced piece of work. Without an SDK it only carries the ids on. */
export interface Trace {
  readonly traceId: string
  /** What the work hands to those it calls, as their `traceparent`. */
  readonly traceparent: string
  /** Runs the work with the span as the active one. */
  run<T>(work: () => T): T
  setAttribute(name: string, value: string | number): void
  end(error?: unknown): void
}

/** Carries ids on, and makes no span. */
class Ids implements Trace {
  readonly traceId: string
  #spanId: string | undefined
  readonly #sampled: number

  constructor({ traceId, spanId, traceFlags }: Partial<SpanContext> = {}) {
    this.traceId = traceId ?? randomHex(16)
    this.#spanId = spanId
    this.#sampled = (traceFlags ?? 1) & 1
  }

  get traceparent(): string {
    // Made when it is asked for: what is answered from the cache calls nobody.
    this.#spanId ??= randomHex(8)
    return `00-${this.traceId}-${this.#spanId}-0${this.#sampled}`
  }

  run<T>(work: () => T): T {
    return work()
  }

  setAttribute(): void {}

  end(): void {}
}

/** What an invocation has before its own trace begins. */
export const untraced: Trace = new Ids({ traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 })

export type SpanRole = 'server' | 'client' | 'producer' | 'consumer' | 'internal'

const kinds: Record<SpanRole, SpanKind> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
}

let recording = false

/** To be called by whoever registers an SDK: until then no span is made, since nobody would see it. */
export function recordSpans(): void {
  recording = true
}

/** Starts a span below `parent` (a traceparent), or at the root of a trace of its own. */
export function startTrace(name: string, role: SpanRole, parent: string | undefined): Trace {
  const remote = parseTraceparent(parent)
  if (!recording) return new Ids(remote)
  const above = remote ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT
  const span = trace.getTracer('registrar').startSpan(name, { kind: kinds[role] }, above)
  return traceOf(span, remote)
}

function traceOf(span: Span, remote: SpanContext | undefined): Trace {
  // A span that was not sampled may have no ids of its own: hand the caller's on, or begin a trace.
  const own = span.spanContext()
  const ids = isSpanContextValid(own) ? own : (remote ?? newIds())
  return {
    ...idsOf(ids),
    run: (work) => (span.isRecording() ? context.with(trace.setSpan(ROOT_CONTEXT, span), work) : work()),
    setAttribute: (key, value) => {
      span.setAttribute(key, value)
    },
    end: (error) => {
      if (error !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' })
      }
      span.end()
    },
  }
}

function idsOf({ traceId, spanId, traceFlags }: SpanContext): Pick<Trace, 'traceId' | 'traceparent'> {
  return { traceId, traceparent: `00-${traceId}-${spanId}-0${traceFlags & 1}` }
}

/** As the SDK makes them: unique is enough, and a cold start need not wait for cryptography. */
const newIds = (): SpanContext => ({ traceId: randomHex(16), spanId: randomHex(8), traceFlags: 1 })

const words = new Uint32Array(4)
const bytes = Buffer.from(words.buffer)

/** Random bytes in hexadecimal digits, never all zero; in one call, since to put them together from strings costs thrice that. */
function randomHex(length: 8 | 16): string {
  for (let i = 0; i < length / 4; i++) words[i] = 1 + Math.floor(Math.random() * (2 ** 32 - 1))
  return bytes.toString('hex', 0, length)
}

/** Runs a call to a backing service in a span of its own, below the active one. */
export async function inSpan<T>(name: string, role: SpanRole, work: () => Promise<T>): Promise<T> {
  if (!recording) return work()
  const span = trace.getTracer('registrar').startSpan(name, { kind: kinds[role] })
  if (!span.isRecording()) return work()
  try {
    return await context.with(trace.setSpan(context.active(), span), work)
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR })
    throw error
  } finally {
    span.end()
  }
}
