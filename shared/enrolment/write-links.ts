import { presentIds } from './links.ts'
import { type LinkMessage, linkMessage } from './messages.ts'
import { type Links, missingRegister, nextTimestamp, type Register, type Side } from './register.ts'

export interface WriteLinks {
  readonly me: Side
  readonly ownId: string
  /** The aggregate as locked, or as read for the compare-and-set: not as the client saw it. None for a create. */
  readonly links: Links
  /** The aggregate's floor in microseconds, 0 for a create. */
  readonly floor: number
  /** Every id that shall be enrolled afterwards. Its length and duplicates are the body schema's affair (`limits`). */
  readonly wanted: readonly string[]
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface WrittenLinks {
  /** The new registers to store, by the other end's id. Empty: nothing changed. */
  readonly changed: Map<string, Register>
  /** The same registers for the outbox, in the same atomic unit: removes first, then adds as the client sent them. */
  readonly messages: LinkMessage[]
}

/**
 * A client's write of the whole id list: a new register for each link that changes. The others keep theirs: moving an
 * unchanged `ts` would let a write about one link win a race about another, which its client never thought of.
 *
 * @throws RangeError when more than 1,000 links change at once
 */
export function writeLinks({ me, ownId, links, floor, wanted, now }: WriteLinks): WrittenLinks {
  const present = new Set(presentIds(links))
  const kept = new Set(wanted)
  const removed = [...present].filter((id) => !kept.has(id))
  const added = [...kept].filter((id) => !present.has(id))

  const changed = new Map<string, Register>()
  let last = 0
  for (const [index, id] of [...removed, ...added].entries()) {
    const base = links.get(id) ?? missingRegister(floor)
    // Above the one before as well: where bases are ahead of the clock, the index alone would not keep the order.
    last = nextTimestamp(now, Math.max(base.ts, last), index)
    changed.set(id, { present: kept.has(id), ts: last, origin: me })
  }
  return {
    changed,
    messages: [...changed].map(([otherId, register]) => linkMessage(me, ownId, otherId, register)),
  }
}

/**
 * A delete: the remove messages for the outbox, one for each present link. The caller drops the registers and keeps a
 * tombstone of the aggregate until its outbox is empty; what arrives later is answered as for an absent one.
 */
export function deleteLinks(input: Omit<WriteLinks, 'wanted' | 'floor'>): LinkMessage[] {
  return writeLinks({ ...input, floor: 0, wanted: [] }).messages
}
