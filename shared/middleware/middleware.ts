import type { Failure } from '../errors.ts'
import type { Trace } from '../tracing.ts'

export type TriggerKind = 'http' | 'grpc' | 'stream' | 'job'

/** What one invocation knows of itself; the middleware fill it in on the way in and read it on the way out. */
export interface Context {
  /** `students/get` */
  readonly function: string
  readonly trigger: TriggerKind
  /** HTTP method, gRPC method, subject or `run`. */
  readonly method: string
  /** The caller's traceparent, if any. */
  readonly parent: string | undefined
  trace: Trace
  /** `ok`, or the closed code of what went wrong, or what became of a message. */
  outcome: string
  failure?: Failure
  /** More for the log line: a status, a count. */
  readonly fields: Record<string, string | number>
}

export type Invoke<I, O> = (input: I, context: Context) => Promise<O>

export type Middleware<I, O> = (next: Invoke<I, O>) => Invoke<I, O>

/** The handler inside its middleware, the first of which is the outermost. */
export function compose<I, O>(list: readonly Middleware<I, O>[], handler: Invoke<I, O>): Invoke<I, O> {
  return list.reduceRight((next, middleware) => middleware(next), handler)
}
