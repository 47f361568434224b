import { applyLink } from './apply-link.ts'
import type { LinkMessage } from './messages.ts'
import { coded, type Kept, type Rules } from './model.ts'
import type { Register, Side } from './register.ts'
import { collectTombstones } from './tombstones.ts'
import { deleteLinks, writeLinks } from './write-links.ts'

const otherEnd = (me: Side, { student_id, course_id }: LinkMessage): string =>
  me === 'S' ? course_id : student_id

const told = (me: Side, messages: readonly LinkMessage[]): [string, Register][] =>
  messages.map((message) => [otherEnd(me, message), message.register])

/** The rules as the code has them. */
export const code: Rules = {
  write(me, kept, wanted, now) {
    const { changed, messages } = writeLinks({ me, ownId: 'own', ...kept, wanted, now })
    if (listed([...changed]) !== listed(told(me, messages)))
      throw new Error('a write tells what it does not store')
    return [...changed]
  },
  end: (me, { links }, now) => told(me, deleteLinks({ me, ownId: 'own', links, now })),
  apply(me, kept, id, message, now, limit) {
    const input = { me, ownId: 'own', otherId: id, aggregate: kept, message, now, limit }
    const { effect, changed, reply } = applyLink(input)
    if (reply && reply.durable !== (effect === 'rejected'))
      throw new Error(`${effect} is durable: ${reply.durable}`)
    if (reply && otherEnd(me, reply.link) !== id) throw new Error('a reply is about another link')
    return { ...(changed && { stores: changed }), ...(reply && { replies: reply.link.register }) }
  },
  collect({ links, floor }, now) {
    const collected = collectTombstones({ links, floor, now, olderThan: -1_000_000 })
    return { links: collected.links, floor: collected.floor }
  },
}

type Registers = readonly (readonly [id: string, register: Register])[]

const listed = (registers: Registers): string => registers.map(([id, one]) => `${id} ${coded(one)}`).join()
const keptText = ({ links, floor }: Kept): string => `${listed([...links].toSorted())} above ${floor}`

/** Rules that go by `one`, and fail where `other` would do anything else. */
export function compared(one: Rules, other: Rules): Rules {
  const both = <A extends unknown[], R>(
    name: string,
    text: (result: R) => string,
    a: (...args: A) => R,
    b: (...args: A) => R,
  ) => {
    return (...args: A): R => {
      const did = a(...args)
      const [left, right] = [text(did), text(b(...args))]
      if (left !== right)
        throw new Error(
          `the code and the model differ in ${name}(${args.map(argument).join(', ')}): ${left || 'nothing'}, not ${right || 'nothing'}`,
        )
      return did
    }
  }
  return {
    write: both('write', listed, one.write, other.write),
    end: both('end', listed, one.end, other.end),
    apply: both(
      'apply',
      ({ stores, replies }) =>
        [stores ? `stores ${coded(stores)}` : '', replies ? `replies ${coded(replies)}` : '']
          .join(' ')
          .trim(),
      one.apply,
      other.apply,
    ),
    collect: both('collect', keptText, one.collect, other.collect),
  }
}

const argument = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (inner instanceof Map ? Object.fromEntries(inner) : inner)) ?? 'nothing'
