import { type Kept, newer, present, type Rules, registerOf } from './model.ts'
import {
  faultOf,
  isSame,
  keyOf,
  linkOf,
  type Message,
  named,
  resynced,
  type State,
  shown,
  sideOf,
  spent,
  tellings,
} from './model-state.ts'
import type { Register, Side } from './register.ts'

/** What there is, and how much of each thing happens at most. */
export interface Scope {
  readonly students: number
  readonly courses: number
  readonly limits: Readonly<Record<Side, number>>
  /** Of clients: links added, removed, swapped. */
  readonly writes: number
  readonly deletions?: number
  readonly collections?: number
  /** A message that comes once more. */
  readonly duplicates?: number
  /** A message that is lost for good, until a resync. */
  readonly losses?: number
  /** A millisecond that passes. */
  readonly ticks?: number
  /** How far the students' clock is ahead, in milliseconds. */
  readonly skew?: number
}

export interface Explored {
  readonly states: number
  readonly ends: number
}

/**
 * Goes through every order of everything that a scope lets happen. Q3, and that registers only grow, are looked at with
 * each step; Q1, Q2 and Q4 wherever nothing is under way.
 *
 * @throws Error with the steps that lead to what is wrong
 */
export class Explorer {
  readonly #rules: Rules
  readonly #scope: Scope
  readonly #seen = new Set<string>()
  /** The states on the way to the one that is looked at. */
  readonly #path = new Set<string>()
  #ends = 0

  constructor(rules: Rules, scope: Scope) {
    this.#rules = rules
    this.#scope = scope
  }

  explore(): Explored {
    const {
      students,
      courses,
      writes,
      deletions = 0,
      collections = 0,
      duplicates = 0,
      losses = 0,
      ticks = 0,
    } = this.#scope
    const ids = [
      ...Array.from({ length: students }, (_, i) => `S${i}`),
      ...Array.from({ length: courses }, (_, i) => `C${i}`),
    ]
    const start: State = {
      kept: new Map(ids.map((id) => [id, { links: new Map(), floor: 0 }])),
      messages: [],
      promised: new Map(),
      left: { writes, deletions, collections, duplicates, losses, ticks },
      now: 0,
      lost: false,
      collected: false,
    }
    this.#visit(start, [])
    return { states: this.#seen.size, ends: this.#ends }
  }

  #visit(state: State, path: string[]): void {
    const key = keyOf(state)
    // What is spent does not come back: a way that leads to where it has been is of messages alone, which answer each other.
    if (this.#path.has(key)) throw new Error('the two sides do not come to rest')
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.#path.add(key)
    if (state.messages.length === 0 && !state.lost) {
      this.#ends++
      const wrong = faultOf(state)
      if (wrong) throw new Error(`${wrong}\n  ${path.join('\n  ')}`)
    }
    for (const [step, next] of this.#steps(state)) {
      path.push(step)
      try {
        this.#visit(next(), path)
      } catch (error) {
        if (!(error instanceof Error) || error.message.includes('\n')) throw error
        throw new Error(`${error.message}\n  ${path.join('\n  ')}`, { cause: error })
      }
      path.pop()
    }
    this.#path.delete(key)
  }

  *#steps(state: State): Generator<[step: string, next: () => State]> {
    const { messages, left, kept, lost } = state
    for (const [index, message] of messages.entries()) {
      // One of several that are the same is as good as another.
      if (messages.findIndex((one) => isSame(one, message)) < index) continue
      const name = `${message.to} gets ${shown(message)}`
      yield [name, () => this.#deliver(state, message, index)]
      if (left.duplicates > 0)
        yield [
          `${name}, which will come again`,
          () => this.#deliver(spent(state, 'duplicates'), message, undefined),
        ]
      if (left.losses > 0)
        yield [
          `${shown(message)} is lost`,
          () => ({ ...spent(state, 'losses'), messages: messages.toSpliced(index, 1), lost: true }),
        ]
    }
    if (left.writes > 0)
      for (const [id, own] of kept)
        for (const wanted of this.#wishes(id, own))
          yield [`${id} is to have [${wanted}]`, () => this.#write(state, id, own, wanted)]
    if (left.deletions > 0)
      for (const [id, own] of kept) yield [`${id} is deleted`, () => this.#end(state, id, own)]
    if (left.collections > 0)
      for (const [id, own] of kept) {
        if ([...own.links.values()].every((one) => one.present)) continue
        yield [`${id} forgets`, () => this.#collect(state, id, own)]
      }
    if (left.ticks > 0)
      yield ['a millisecond passes', () => ({ ...spent(state, 'ticks'), now: state.now + 1 })]
    // Only when nothing is under way that it does not know of.
    if (lost && messages.length === 0) yield ['both sides tell everything again', () => resynced(state)]
  }

  /** One link more, one less, or one for another; of what is deleted as well. */
  #wishes(id: string, own: Kept): string[][] {
    const { students, courses, limits } = this.#scope
    const others = id.startsWith('S') ? named('C', courses) : named('S', students)
    const now = present(own)
    const wishes = others.map((one) =>
      now.includes(one) ? now.filter((other) => other !== one) : [...now, one],
    )
    const swaps = now.flatMap((out) =>
      others.filter((one) => !now.includes(one)).map((one) => [...now.filter((other) => other !== out), one]),
    )
    return [...wishes, ...swaps].filter((wanted) => wanted.length <= limits[sideOf(id)])
  }

  #write(state: State, id: string, own: Kept, wanted: string[]): State {
    const me = sideOf(id)
    const written = this.#rules.write(me, own, wanted, this.#clock(state, me))
    const links = new Map(own.links)
    const promised = new Map(state.promised)
    for (const [other, register] of written) {
      this.#grows(own, other, register)
      links.set(other, register)
      const link = linkOf(id, other)
      const before = promised.get(link)
      if (!before || newer(register, before)) promised.set(link, register)
    }
    return { ...this.#stored(spent(state, 'writes'), id, { ...own, links }, tellings(id, written)), promised }
  }

  #end(state: State, id: string, own: Kept): State {
    const ended = this.#rules.end(sideOf(id), own, this.#clock(state, sideOf(id)))
    return this.#stored(spent(state, 'deletions'), id, undefined, tellings(id, ended))
  }

  #collect(state: State, id: string, own: Kept): State {
    const kept = this.#rules.collect(own, state.now)
    for (const other of own.links.keys())
      if (newer(registerOf(own, other), registerOf(kept, other)))
        throw new Error(`${id} forgets what ${other} was, and is older`)
    return { ...this.#stored(spent(state, 'collections'), id, kept, []), collected: true }
  }

  #deliver(state: State, { to, student, course, register }: Message, taken: number | undefined): State {
    const [id, other] = to === 'S' ? [student, course] : [course, student]
    const own = state.kept.get(id)
    const limit = this.#scope.limits[to]
    const { stores, replies } = this.#rules.apply(to, own, other, register, this.#clock(state, to), limit)
    if (stores) this.#grows(own, other, stores)
    const after = taken === undefined ? state : { ...state, messages: state.messages.toSpliced(taken, 1) }
    const next = stores && own ? { ...own, links: new Map(own.links).set(other, stores) } : own
    return this.#stored(after, id, next, replies ? tellings(id, [[other, replies]]) : [])
  }

  #grows(own: Kept | undefined, other: string, register: Register): void {
    if (!own) throw new Error('stored where nothing is')
    if (!newer(register, registerOf(own, other)))
      throw new Error(`${other} gets an older register: ${JSON.stringify(register)}`)
  }

  #stored(state: State, id: string, own: Kept | undefined, told: readonly Message[]): State {
    const kept = new Map(state.kept)
    if (own) kept.set(id, own)
    else kept.delete(id)
    if (own && present(own).length > this.#scope.limits[sideOf(id)])
      throw new Error(`Q3: ${id} is over its limit`)
    return { ...state, kept, messages: [...state.messages, ...told] }
  }

  #clock({ now }: State, me: Side): number {
    return me === 'S' ? now + (this.#scope.skew ?? 0) : now
  }
}
