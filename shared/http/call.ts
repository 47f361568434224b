import type { Operation } from '../spec/define-function.ts'
import type { HttpRequest } from './message.ts'

/** One request on its way to a handler: matched, parsed and valid. */
export interface Call {
  readonly request: HttpRequest
  readonly operation: Operation
  /** The operation's name in its declaration. */
  readonly name: string
  params: Readonly<Record<string, string>>
  /** What the query schema made of the query. */
  query: unknown
  /** What the body schema made of the body. */
  body: unknown
  /** Of an operation that takes one. */
  idempotencyKey?: string | undefined
}

/** What a handler answers; the host makes HTTP of it. */
export interface Answer {
  /** Sent as JSON, or as it is where it is text or bytes. */
  readonly body?: unknown
  readonly etag?: string
  readonly location?: string
  /** Other headers, in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** Where it differs from the declared one. */
  readonly status?: number
  /** What the cache did, where the answer comes through one. */
  readonly cacheStatus?: string
}

/** What a handler is given. */
export interface HandlerInput<Q = unknown, B = unknown> {
  readonly params: Readonly<Record<string, string>>
  readonly query: Q
  readonly body: B
  /** If-Match as it was sent. */
  readonly ifMatch: string | undefined
  /** Idempotency-Key, without its quotes. */
  readonly idempotencyKey: string | undefined
  /** Who calls, as the gateway says. */
  readonly consumer: string
}

export interface HandlerContext {
  readonly traceparent: string
}

export type Handler<Q = unknown, B = unknown> = (
  input: HandlerInput<Q, B>,
  context: HandlerContext,
) => Promise<Answer>
