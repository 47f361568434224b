import { coded, type Kept, newer, present, registerOf } from './model.ts'
import type { Register, Side } from './register.ts'

export interface Message {
  readonly to: Side
  readonly student: string
  readonly course: string
  readonly register: Register
}

export type Budget = 'writes' | 'deletions' | 'collections' | 'duplicates' | 'losses' | 'ticks'
export type Left = Readonly<Record<Budget, number>>

export interface State {
  /** By id, which begins with its side; what was deleted is not there. */
  readonly kept: ReadonlyMap<string, Kept>
  /** Under way: in an outbox or a stream, in no order. */
  readonly messages: readonly Message[]
  /** The newest register of each link that a client was promised. */
  readonly promised: ReadonlyMap<string, Register>
  readonly left: Left
  readonly now: number
  /** Something is lost that no resync has told again. */
  readonly lost: boolean
  readonly collected: boolean
}

export const sideOf = (id: string): Side => (id.startsWith('S') ? 'S' : 'C')
export const named = (side: Side, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${side}${i}`)
export const linkOf = (id: string, other: string): string =>
  id.startsWith('S') ? `${id} ${other}` : `${other} ${id}`
export const spent = (state: State, budget: Budget): State => ({
  ...state,
  left: { ...state.left, [budget]: state.left[budget] - 1 },
})

export function tellings(
  id: string,
  registers: readonly (readonly [other: string, register: Register])[],
): Message[] {
  return registers.map(([other, register]) =>
    id.startsWith('S')
      ? { to: 'C', student: id, course: other, register }
      : { to: 'S', student: other, course: id, register },
  )
}

export function resynced(state: State): State {
  const messages = [...state.kept].flatMap(([id, { links }]) => tellings(id, [...links]))
  return { ...state, messages, lost: false }
}

/** Q1, Q2 and Q4, of a state in which nothing is under way. */
export function faultOf({ kept, promised, collected }: State): string | undefined {
  for (const [id, own] of kept) {
    for (const other of present(own)) {
      const there = kept.get(other)
      if (!there) return `Q2: ${id} has ${other}, which does not exist`
      if (!registerOf(there, id).present) return `Q1: ${id} has ${other}, but not the reverse`
    }
  }
  for (const [link, promise] of promised) {
    for (const [id = '', other = ''] of [link.split(' '), link.split(' ').reverse()]) {
      const own = kept.get(id)
      if (!own) continue
      const stands = registerOf(own, other)
      // A floor stands for what it was raised over, at either end.
      const floored = collected && Math.max(own.floor, kept.get(other)?.floor ?? 0) >= promise.ts
      if (newer(promise, stands) && !floored && kept.has(other))
        return `Q4: ${id} does not know of ${JSON.stringify(promise)}`
      if (stands.present === promise.present || floored || stands.reason || !kept.has(other)) continue
      return `Q4: ${id} has ${JSON.stringify(stands)} without a reason, ${JSON.stringify(promise)} was promised`
    }
  }
  return undefined
}

/** States share most of what they are made of: what is known of an object is not worked out again. */
function remembered<K extends object>(work: (key: K) => string): (key: K) => string {
  const known = new WeakMap<K, string>()
  return (key) => {
    const result = known.get(key) ?? work(key)
    known.set(key, result)
    return result
  }
}

const textOfLinks = (links: ReadonlyMap<string, Register>): string =>
  [...links]
    .map(([id, one]) => id + coded(one))
    .toSorted()
    .join()
const textOfKept = remembered(({ links, floor }: Kept) => `${floor}/${textOfLinks(links)}`)
const textOfAll = remembered((kept: State['kept']) =>
  [...kept].map(([id, own]) => id + textOfKept(own)).join(';'),
)
const textOfPromises = remembered(textOfLinks)
export const shown = remembered(
  ({ student, course, register }: Message) => `${student}-${course} ${coded(register)}`,
)
const textOfMessage = remembered((message: Message) => message.to + shown(message))
export const isSame = (a: Message, b: Message): boolean => textOfMessage(a) === textOfMessage(b)

export function keyOf({ kept, messages, promised, left, now, lost, collected }: State): string {
  const under = messages.map(textOfMessage).sort().join()
  return `${textOfAll(kept)}|${under}|${textOfPromises(promised)}|${Object.values(left)}|${now}|${lost}|${collected}`
}
