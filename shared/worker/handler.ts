/** What handler.ts of a worker makes of its dependencies. */
export interface WorkerHandler {
  /**
   * Applies one message; when it resolves, with what it came to in a word or two, the effect is durable.
   * @throws UndecodableMessage for what can never succeed, Failure `unavailable` for what may succeed later.
   */
  readonly handle: (payload: Uint8Array, context: { readonly traceparent: string }) => Promise<string>
  /** Rejects while what the handler needs cannot serve: nothing is pulled then. */
  readonly ready: () => Promise<void>
  /** Relays what others left in the outbox; gives the age of the oldest in seconds. */
  readonly sweep?: () => Promise<number>
}
