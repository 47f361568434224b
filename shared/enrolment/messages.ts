import { inOrder } from './links.ts'
import type { Links, Register, Side } from './register.ts'

/** One register on its way to the other side. Ids as everywhere: a lower-case UUID, 24 lower-case hex digits. */
export interface LinkMessage {
  readonly student_id: string
  readonly course_id: string
  readonly register: Register
}

/** The message that tells `register`, of the aggregate `ownId` on the side `me`, about the other end `otherId`. */
export function linkMessage(me: Side, ownId: string, otherId: string, register: Register): LinkMessage {
  return me === 'S'
    ? { student_id: ownId, course_id: otherId, register }
    : { student_id: otherId, course_id: ownId, register }
}

/**
 * Every register as a message, oldest first: a resync after messages were lost for good. Publish them with a nonce
 * (`messageId`), or the stream swallows those that it saw within its dedupe window. Resync both sides, and when the
 * outboxes are empty and the consumers drained: an add that arrives later from an outbox, while the remove or deletion
 * after it was what got lost, is stored where the resync has already passed.
 */
export function reemit(input: { me: Side; ownId: string; links: Links }): LinkMessage[] {
  return inOrder(input.links).map(([otherId, register]) =>
    linkMessage(input.me, input.ownId, otherId, register),
  )
}

/**
 * The `Nats-Msg-Id` of a message to the side `to`: `to:origin:student:course:ts:present`. The same message has the same
 * id, so that relaying an outbox entry twice stores it once. It begins with the destination, for a stale reply can carry
 * back to a side the very register that it sent.
 *
 * @param nonce anything fresh, for what must arrive although it was sent before: stale replies, resync, replay
 */
export function messageId(to: Side, message: LinkMessage, nonce?: string): string {
  const { student_id, course_id, register } = message
  const id = [to, register.origin, student_id, course_id, register.ts, register.present].join(':')
  return nonce === undefined ? id : `${id}:${nonce}`
}
