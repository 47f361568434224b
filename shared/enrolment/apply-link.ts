import type { Aggregate } from './links.ts'
import { type LinkMessage, linkMessage } from './messages.ts'
import {
  compareRegisters,
  missingRegister,
  nextTimestamp,
  type Reason,
  type Register,
  type Side,
} from './register.ts'

export interface ApplyLink {
  /** The side that received the message. */
  readonly me: Side
  readonly ownId: string
  readonly otherId: string
  /**
   * The aggregate as locked, or as read for the compare-and-set; undefined only when the store *answered* that it does
   * not exist or is deleted. An error or a timeout is never that: it would compensate a healthy enrolment.
   */
  readonly aggregate: Aggregate | undefined
  readonly message: Register
  /** Milliseconds since 1970. */
  readonly now: number
  /** How many present links this aggregate can have. */
  readonly limit: number
}

export interface AppliedLink {
  /**
   * - `adopted`: the message's register is now this side's
   * - `dropped`: nothing new
   * - `stale`: older than what is known here, which the reply tells
   * - `rejected`: an add over the limit; the reply takes it back
   * - `absent`: no such aggregate; an add is taken back by the reply
   */
  readonly effect: 'adopted' | 'dropped' | 'stale' | 'rejected' | 'absent'
  /** The register to store for `otherId`; `version` moves with it where the list that readers see changes. */
  readonly changed?: Register
  /**
   * What to tell the other side. Durable: through the outbox, in the same atomic unit as `changed`. Not durable: nothing
   * is stored, so publish it, with a nonce in its id, before acknowledging the message that caused it.
   */
  readonly reply?: { readonly link: LinkMessage; readonly durable: boolean }
}

const notFound = { S: 'student_not_found', C: 'course_not_found' } as const satisfies Record<Side, Reason>
const full = { S: 'student_full', C: 'course_full' } as const satisfies Record<Side, Reason>

/**
 * What a link message from the other side does here. Safe for any order, any number of deliveries, and messages that
 * are long out of date. A remove is never refused, so a compensation never causes another.
 */
export function applyLink(input: ApplyLink): AppliedLink {
  const { me, ownId, otherId, aggregate, message } = input
  const reply = (register: Register, durable: boolean) => ({
    link: linkMessage(me, ownId, otherId, register),
    durable,
  })

  if (aggregate === undefined) {
    if (!message.present) return { effect: 'absent' }
    // From the message alone, without the clock: each delivery of it gives the same answer.
    const compensation: Register = { present: false, ts: message.ts + 1, origin: me, reason: notFound[me] }
    return { effect: 'absent', reply: reply(compensation, false) }
  }

  const current = aggregate.links.get(otherId) ?? missingRegister(aggregate.floor)
  const order = compareRegisters(message, current)
  if (order <= 0) {
    const contradicted = order < 0 && current.present !== message.present
    return contradicted ? { effect: 'stale', reply: reply(current, false) } : { effect: 'dropped' }
  }

  if (message.present && !current.present && countPresent(aggregate) >= input.limit) {
    const changed: Register = {
      present: false,
      ts: nextTimestamp(input.now, message.ts, 0),
      origin: me,
      reason: full[me],
    }
    return { effect: 'rejected', changed, reply: reply(changed, true) }
  }

  // A remove is stored even for a link never heard of: the add that it overtook may still be under way.
  return { effect: 'adopted', changed: adopt(message) }
}

function countPresent({ links }: Aggregate): number {
  let count = 0
  for (const register of links.values()) if (register.present) count++
  return count
}

function adopt({ present, ts, origin, reason }: Register): Register {
  return present || reason === undefined ? { present, ts, origin } : { present, ts, origin, reason }
}
