import { type AppliedLink, applyLink } from '../apply-link.ts'
import { presentIds } from '../links.ts'
import type { LinkMessage } from '../messages.ts'
import { compareRegisters, missingRegister, type Register, type Side } from '../register.ts'
import { collectTombstones } from '../tombstones.ts'
import { deleteLinks, writeLinks } from '../write-links.ts'
import type { Delivery } from './stream.ts'

export interface StoredAggregate {
  links: Map<string, Register>
  floor: number
  version: number
}

/** One side's database and what runs on it; what is one atomic unit there is one method here. */
export class SimulatedSide {
  readonly live = new Map<string, StoredAggregate>()
  readonly made: string[] = []
  readonly outbox: Delivery[] = []
  /** Every floor that there was, also of what is deleted since. */
  readonly floors = new Map<string, number>()
  /** How far this side's clock is ahead, in ms. */
  readonly me: Side
  readonly limit: number
  private readonly skew: number

  constructor(me: Side, limit: number, skew: number) {
    this.me = me
    this.limit = limit
    this.skew = skew
  }

  create(id: string, wanted: readonly string[], now: number): LinkMessage[] {
    this.made.push(id)
    this.live.set(id, { links: new Map(), floor: 0, version: 0 })
    return this.put(id, wanted, now)
  }

  /** The new registers, none for an id that is not there. */
  put(id: string, wanted: readonly string[], now: number): LinkMessage[] {
    const aggregate = this.live.get(id)
    if (aggregate === undefined) return []
    const { changed, messages } = writeLinks({ ...this.own(id, now), ...aggregate, wanted })
    for (const [otherId, register] of changed) this.store(id, aggregate, otherId, register)
    if (messages.length > 0) this.outbox.push({ kind: 'mutation', from: this.me, messages })
    return messages
  }

  delete(id: string, now: number): LinkMessage[] {
    const aggregate = this.live.get(id)
    if (aggregate === undefined) return []
    const messages = deleteLinks({ ...this.own(id, now), links: aggregate.links })
    this.live.delete(id)
    if (messages.length > 0) this.outbox.push({ kind: 'mutation', from: this.me, messages })
    return messages
  }

  apply(message: LinkMessage, now: number): AppliedLink {
    const [ownId, otherId] = this.ends(message)
    const aggregate = this.live.get(ownId)
    const { me, limit } = this
    const applied = applyLink({
      ...this.own(ownId, now),
      otherId,
      aggregate,
      message: message.register,
      limit,
    })
    if (applied.changed && aggregate) this.store(ownId, aggregate, otherId, applied.changed)
    if (applied.reply?.durable) {
      this.outbox.push({ kind: 'link', to: me === 'S' ? 'C' : 'S', message: applied.reply.link })
    }
    return applied
  }

  collect(id: string, olderThan: number, now: number): void {
    const aggregate = this.live.get(id)
    if (aggregate === undefined) return
    const { links, floor, dropped } = collectTombstones({ ...aggregate, now: now + this.skew, olderThan })
    for (const otherId of dropped) {
      const before = aggregate.links.get(otherId)
      if (!before || before.present || compareRegisters(missingRegister(floor), before) < 0) {
        throw new Error(`the floor ${floor} does not stand for the dropped ${JSON.stringify(before)}`)
      }
    }
    aggregate.links = new Map(links)
    aggregate.floor = floor
    this.floors.set(id, floor)
  }

  /** What the aggregate knows about the link; undefined when there is no aggregate. */
  knows(id: string, otherId: string): Register | undefined {
    const aggregate = this.live.get(id)
    return aggregate && (aggregate.links.get(otherId) ?? missingRegister(aggregate.floor))
  }

  present(id: string): string[] {
    return presentIds(this.live.get(id)?.links ?? new Map())
  }

  private ends({ student_id, course_id }: LinkMessage): [string, string] {
    return this.me === 'S' ? [student_id, course_id] : [course_id, student_id]
  }

  private own(ownId: string, now: number) {
    return { me: this.me, ownId, now: now + this.skew }
  }

  private store(id: string, aggregate: StoredAggregate, otherId: string, register: Register): void {
    const before = aggregate.links.get(otherId) ?? missingRegister(aggregate.floor)
    if (compareRegisters(register, before) <= 0) {
      throw new Error(`${id} replaces ${JSON.stringify(before)} by ${JSON.stringify(register)}`)
    }
    aggregate.links.set(otherId, register)
    aggregate.version++
    if (presentIds(aggregate.links).length > this.limit) throw new Error(`Q3: ${id} is over its limit`)
  }
}
