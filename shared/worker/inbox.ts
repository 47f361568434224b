/** One message of a consumer. It is settled once: acknowledged, given back, or put into the dead letter. */
export interface Delivery {
  /** Its place in the stream, the same at each of its deliveries. */
  readonly sequence: number
  readonly payload: Uint8Array
  readonly subject: string
  readonly traceparent: string | undefined
  /** 1 at the first delivery. */
  readonly deliveries: number
  /** Tells the broker that work goes on, so that it does not deliver again. */
  working(): void
  /** Resolves when the broker has noted it. */
  acknowledge(): Promise<void>
  /** Asks for another delivery after a delay in milliseconds. */
  retry(delay: number): Promise<void>
  /**
   * Keeps the message, with the reason, where operators look, and ends its deliveries. One that came without a trace is
   * kept with that of the attempt, which the log has.
   */
  bury(reason: string, traceparent: string): Promise<void>
}

export interface Inbox {
  /**
   * Messages as they come, at most `concurrency` that are not settled, until the signal is aborted. Survives the
   * broker's absence.
   */
  messages(concurrency: number, signal: AbortSignal): AsyncIterable<Delivery>
}
