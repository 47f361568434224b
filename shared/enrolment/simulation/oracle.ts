import type { LinkMessage } from '../messages.ts'
import { compareRegisters, type Register } from '../register.ts'
import { type Made, pick, sameLink, type World } from './world.ts'

/** Lets everything that is under way arrive, in an order that `seed` chooses, with a crash or duplicate now and then. */
export function settle(world: World, seed: number): void {
  const random = generator(seed)
  for (let step = 0; !world.quiet; step++) {
    if (step > 20_000) throw new Error('the two sides do not come to rest')
    const crash =
      random(8) === 0 ? pick(['at once', 'half way', 'before the ack'] as const, random(3)) : undefined
    const which = random(1000)
    const moves = [
      { do: 'relay', side: 'S', which, crash: crash ?? 'none' },
      { do: 'relay', side: 'C', which, crash: crash ?? 'none' },
      { do: 'deliver', which, crash: crash ?? 'none' },
      { do: 'deliver', which, crash: crash ?? 'none' },
      { do: 'redeliver' },
    ] as const
    const move = pick(moves, random(moves.length))
    if (move) world.act(move)
  }
}

/** Throws unless Q1 to Q4 hold; Q3 and that registers only grow are checked by the sides at each of their steps. */
export function checkAtRest(world: World): void {
  const { S, C } = world.sides
  for (const [me, other] of [
    [S, C],
    [C, S],
  ] as const) {
    for (const id of me.live.keys()) {
      for (const otherId of me.present(id)) {
        if (!other.live.has(otherId))
          throw new Error(`Q2: ${id} is enrolled with ${otherId}, which does not exist`)
        if (!other.present(otherId).includes(id))
          throw new Error(`Q1: ${id} has ${otherId}, but not the reverse`)
      }
    }
  }
  for (const made of world.history) {
    if (made.by === 'client') checkKept(world, made)
  }
  if (!world.collected) checkHighest(world)
}

/**
 * Q4 for one register that a client's acknowledged write made: it stands, or another client's write or deletion is
 * newer, or a compensation with its reason is, or a floor that it never was above. That a newer register is never one
 * that its writer knew follows from registers only growing.
 */
function checkKept(world: World, { side, link }: Made): void {
  const { register } = link
  const final = finalRegister(world, side, link)
  if (final === undefined) return // its own end was deleted since
  if (compareRegisters(final, register) < 0)
    throw new Error(`Q4: ${describe(link)} became ${describe(final)}`)
  if (final.present === register.present) return
  const explained = world.history.some(
    ({ by, link: later }) =>
      sameLink(later, link) &&
      later.register.present !== register.present &&
      compareRegisters(later.register, register) > 0 &&
      (by !== 'compensation' || later.register.reason !== undefined),
  )
  if (explained || floorOf(world, link) >= register.ts) return
  throw new Error(`Q4: ${describe(link)} became ${describe(final)} for no reason`)
}

/** Without collection nothing but the highest register of a link may stay, with its reason, on both sides. */
function checkHighest(world: World): void {
  for (const { link } of world.history) {
    const [student, course] = [finalRegister(world, 'S', link), finalRegister(world, 'C', link)]
    if (student === undefined || course === undefined) continue
    const highest = world.history
      .filter((made) => sameLink(made.link, link))
      .map((made) => made.link.register)
      .reduce((a, b) => (compareRegisters(a, b) >= 0 ? a : b))
    for (const final of [student, course]) {
      if (compareRegisters(final, highest) !== 0 || final.reason !== highest.reason) {
        throw new Error(`${describe(link)} is ${describe(final)}, not ${describe(highest)}`)
      }
    }
  }
}

function finalRegister(world: World, side: Made['side'], { student_id, course_id }: LinkMessage) {
  return side === 'S'
    ? world.sides.S.knows(student_id, course_id)
    : world.sides.C.knows(course_id, student_id)
}

function floorOf({ sides }: World, { student_id, course_id }: LinkMessage): number {
  return Math.max(sides.S.floors.get(student_id) ?? 0, sides.C.floors.get(course_id) ?? 0)
}

function describe(value: LinkMessage | Register): string {
  return JSON.stringify(value)
}

/** A linear congruential generator: a number below `n` at each call. */
function generator(seed: number): (n: number) => number {
  let state = seed >>> 0
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}
