import type { Reason, Register, Side } from './register.ts'

/*
 * The protocol once more, in small: written from docs/enrolment-protocol.md, without the code that keeps it, so that
 * either can be held against the other. Nothing but tests uses it.
 */

/** What one student or course keeps: its registers by the other end's id, and the floor of those collected. */
export interface Kept {
  readonly links: ReadonlyMap<string, Register>
  readonly floor: number
}

export interface Applied {
  readonly stores?: Register
  readonly replies?: Register
}

/** Everything that decides. Clocks are in milliseconds; `undefined` is what does not exist. */
export interface Rules {
  /** The new registers of a client's write of the whole list. */
  write(me: Side, kept: Kept, wanted: readonly string[], now: number): [id: string, register: Register][]
  /** What a deletion tells of its links. */
  end(me: Side, kept: Kept, now: number): [id: string, register: Register][]
  apply(me: Side, kept: Kept | undefined, id: string, message: Register, now: number, limit: number): Applied
  /** Forgets what is not present. */
  collect(kept: Kept, now: number): Kept
}

const ranks = ['', 'C', 'S', 'Z']

/** By time, then by whose it is, then removes after adds. */
export function newer(a: Register, b: Register): boolean {
  if (a.ts !== b.ts) return a.ts > b.ts
  if (a.origin !== b.origin) return ranks.indexOf(a.origin) > ranks.indexOf(b.origin)
  return !a.present && b.present
}

export function registerOf({ links, floor }: Kept, id: string): Register {
  return links.get(id) ?? { present: false, ts: floor, origin: floor > 0 ? 'Z' : '' }
}

/** Everything that makes a register another one, as text. */
export function coded(register: Register): string {
  const known = codes.get(register) ?? codeOf(register)
  codes.set(register, known)
  return known
}

const codes = new WeakMap<Register, string>()
const codeOf = ({ present, ts, origin, reason }: Register): string =>
  `${present ? '+' : '-'}${ts}${origin}${reason ?? ''}`

export const present = ({ links }: Kept): string[] =>
  [...links].flatMap(([id, one]) => (one.present ? [id] : []))

const missing: Record<Side, Reason> = { S: 'student_not_found', C: 'course_not_found' }
const full: Record<Side, Reason> = { S: 'student_full', C: 'course_full' }

const same = (a: Register, b: Register): boolean => !newer(a, b) && !newer(b, a)

export const rules: Rules = {
  write(me, kept, wanted, now) {
    const before = present(kept).toSorted(
      (a, b) => registerOf(kept, a).ts - registerOf(kept, b).ts || (a < b ? -1 : 1),
    )
    const removes = before.filter((id) => !wanted.includes(id))
    const adds = wanted.filter((id) => !before.includes(id))
    let last = 0
    return [...removes, ...adds].map((id, index) => {
      // The clock, or just above what it replaces and what was written before it.
      last = Math.max(now * 1000 + index, registerOf(kept, id).ts + 1, last + 1)
      return [id, { present: wanted.includes(id), ts: last, origin: me }]
    })
  },

  end(me, kept, now) {
    return rules.write(me, { ...kept, floor: 0 }, [], now)
  },

  apply(me, kept, id, message, now, limit) {
    if (!kept) {
      if (!message.present) return {}
      return { replies: { present: false, ts: message.ts + 1, origin: me, reason: missing[me] } }
    }
    const own = registerOf(kept, id)
    if (newer(own, message)) return own.present === message.present ? {} : { replies: own }
    if (same(own, message)) return {}
    if (message.present && !own.present && present(kept).length >= limit) {
      const ts = Math.max(now * 1000, message.ts + 1)
      const rejection: Register = { present: false, ts, origin: me, reason: full[me] }
      return { stores: rejection, replies: rejection }
    }
    return { stores: message }
  },

  collect(kept) {
    const gone = [...kept.links].filter(([, one]) => !one.present)
    return {
      links: new Map([...kept.links].filter(([, one]) => one.present)),
      floor: Math.max(kept.floor, ...gone.map(([, one]) => one.ts)),
    }
  },
}
