import type { LinkMessage } from '../enrolment/messages.ts'
import type { Side } from '../enrolment/register.ts'

/** What one mutation changed, for the fan-out of its own side. */
export interface Mutation {
  /** UUID: the same mutation is kept once however often it is announced. */
  readonly id: string
  readonly side: Side
  /** The aggregate that changed. */
  readonly subject: string
  readonly links: readonly LinkMessage[]
}

export interface Telling {
  readonly traceparent: string
  /** Anything fresh, for what must arrive although it was sent before. */
  readonly nonce?: string
}

/** The streams between the two sides. Both calls resolve when the broker has the message, and reject within a second. */
export interface Events {
  announce(mutation: Mutation, telling: Telling): Promise<void>
  /** Tells a side about one link. */
  tell(to: Side, link: LinkMessage, telling: Telling): Promise<void>
}
