/** A message that no further delivery can help, with what operators need to know of it. */
export interface DeadLetter {
  readonly payload: Uint8Array
  readonly reason: string
  readonly stream: string
  readonly subject: string
  /** The same letter is kept once. */
  readonly id: string
  readonly traceparent: string
}

export interface DeadLetters {
  /** Resolves when the letter is kept. */
  bury(letter: DeadLetter): Promise<void>
}
