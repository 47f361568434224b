import { causes, toFailure } from '../errors.ts'
import { log } from '../log.ts'
import { observeInvocation } from '../tallies.ts'
import { type SpanRole, startTrace } from '../tracing.ts'
import type { Context, Invoke, Middleware, TriggerKind } from './middleware.ts'

const roles: Record<TriggerKind, SpanRole> = {
  http: 'server',
  grpc: 'server',
  stream: 'consumer',
  job: 'internal',
}

/** The span of the invocation, and the trace id that its log line and its errors carry. */
export function tracing<I, O>(): Middleware<I, O> {
  return (next: Invoke<I, O>) => async (input, context) => {
    const trace = startTrace(`${context.function} ${context.method}`, roles[context.trigger], context.parent)
    context.trace = trace
    trace.setAttribute('faas.name', context.function)
    trace.setAttribute('faas.trigger', context.trigger)
    try {
      const output = await trace.run(() => next(input, context))
      trace.end(context.failure?.code === 'internal' ? context.failure : undefined)
      return output
    } catch (error) {
      trace.end(error)
      throw error
    }
  }
}

/** One line and one observation for each invocation; an error and its causes are logged here, once, and nowhere else. */
export function logging<I, O>(): Middleware<I, O> {
  return (next: Invoke<I, O>) => async (input, context) => {
    const start = performance.now()
    try {
      return await next(input, context)
    } catch (error) {
      context.failure ??= toFailure(error)
      context.outcome = context.failure.code
      throw error
    } finally {
      const seconds = (performance.now() - start) / 1000
      observeInvocation(context, seconds, context.trace.traceId)
      write(context, seconds)
    }
  }
}

function write(context: Context, seconds: number): void {
  const { failure, outcome } = context
  // What is buried is for an operator to look at, whoever made it.
  const theirs = failure === undefined || (callerMade.has(failure.code) && outcome !== 'dead_letter')
  log(theirs ? 'info' : 'error', {
    function: context.function,
    method: context.method,
    trigger: context.trigger,
    outcome,
    duration_ms: Math.round(seconds * 1e6) / 1e3,
    trace_id: context.trace.traceId,
    ...context.fields,
    error: theirs ? undefined : causes(failure),
  })
}

/** Codes that tell of the caller's mistake, not of ours. */
const callerMade: ReadonlySet<string> = new Set([
  'malformed',
  'unauthorized',
  'not_found',
  'method_not_allowed',
  'conflict',
  'precondition_failed',
  'payload_too_large',
  'unsupported_media_type',
  'invalid',
  'too_many_requests',
])
