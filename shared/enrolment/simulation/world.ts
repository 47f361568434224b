import { type LinkMessage, reemit } from '../messages.ts'
import { otherSide, type Side } from '../register.ts'
import { SimulatedSide } from './simulated-side.ts'
import { type Delivery, Stream } from './stream.ts'

export interface Config {
  readonly students: number
  readonly courses: number
  readonly limits: Readonly<Record<Side, number>>
  /** How far each side's clock is ahead, in ms. */
  readonly skew: Readonly<Record<Side, number>>
}

/** Where a worker or relay dies; all that was done before stays, and the message comes again. */
export type Crash = 'none' | 'at once' | 'half way' | 'before the ack'

/** Numbers pick from what there is at that moment, modulo its length. */
export type Action =
  | { readonly do: 'create'; readonly side: Side; readonly wanted: readonly number[] }
  | { readonly do: 'put'; readonly side: Side; readonly who: number; readonly wanted: readonly number[] }
  | { readonly do: 'toggle'; readonly side: Side; readonly who: number; readonly other: number }
  | { readonly do: 'read'; readonly side: Side; readonly who: number }
  | { readonly do: 'put what was read'; readonly other: number; readonly ifMatch: boolean }
  | { readonly do: 'delete'; readonly side: Side; readonly who: number }
  | { readonly do: 'relay'; readonly side: Side; readonly which: number; readonly crash: Crash }
  | { readonly do: 'deliver'; readonly which: number; readonly crash: Crash }
  | { readonly do: 'delay'; readonly which: number }
  | { readonly do: 'redeliver' }
  | { readonly do: 'dead letter'; readonly which: number }
  | { readonly do: 'collect'; readonly side: Side; readonly who: number; readonly age: number }
  | { readonly do: 'tick'; readonly ms: number }
  | { readonly do: 'end dedupe window' }
  | { readonly do: 'wipe the stream' }

/** A register as it was made, for the oracle. */
export interface Made {
  readonly by: 'client' | 'delete' | 'compensation'
  readonly side: Side
  readonly link: LinkMessage
}

/** Both sides, the stream between them, and the record of everything that was promised. */
export class World {
  readonly sides: Readonly<Record<Side, SimulatedSide>>
  readonly stream = new Stream()
  readonly history: Made[] = []
  /** An id of each side that never existed. */
  readonly ghosts = { S: 's-ghost', C: 'c-ghost' } as const
  /** Messages are gone for good: only a resync brings the sides together again. */
  lost = false
  collected = false
  private now = 1_000_000
  private memory: { side: Side; id: string; version: number; ids: string[] } | undefined

  constructor({ students, courses, limits, skew }: Config) {
    this.sides = { S: new SimulatedSide('S', limits.S, skew.S), C: new SimulatedSide('C', limits.C, skew.C) }
    for (let n = 0; n < students; n++) this.act({ do: 'create', side: 'S', wanted: [] })
    for (let n = 0; n < courses; n++) this.act({ do: 'create', side: 'C', wanted: [] })
  }

  act(action: Action): void {
    const { now, stream } = this
    switch (action.do) {
      case 'create': {
        const side = this.sides[action.side]
        const id = `${action.side.toLowerCase()}${side.made.length}`
        this.record('client', side.me, side.create(id, this.wanted(side, action.wanted), now))
        break
      }
      case 'put':
        this.put(action.side, this.who(action), (side) => this.wanted(side, action.wanted))
        break
      case 'toggle':
        this.put(action.side, this.who(action), (side, ids) => this.toggled(side, ids, action.other))
        break
      case 'read': {
        const id = this.who(action)
        const side = this.sides[action.side]
        this.memory = { side: side.me, id, version: side.live.get(id)?.version ?? 0, ids: side.present(id) }
        break
      }
      case 'put what was read': {
        if (this.memory === undefined) break
        const { side, id, version, ids } = this.memory
        if (action.ifMatch && this.sides[side].live.get(id)?.version !== version) break
        this.put(side, id, (own) => this.toggled(own, ids, action.other))
        break
      }
      case 'delete':
        this.record('delete', action.side, this.sides[action.side].delete(this.who(action), now))
        break
      case 'relay':
        this.relay(this.sides[action.side], action.which, action.crash)
        break
      case 'deliver':
        this.deliver(pick(stream.waiting, action.which), action.crash)
        break
      case 'delay':
        stream.delay(action.which)
        break
      case 'redeliver':
        stream.redeliver()
        break
      case 'collect':
        this.collected = true
        this.sides[action.side].collect(this.who(action), action.age, now)
        break
      case 'tick':
        this.now += action.ms
        break
      case 'end dedupe window':
        stream.endDedupeWindow()
        break
      case 'wipe the stream':
        this.lost = true
        stream.wipe()
        break
      case 'dead letter':
        this.lost = true
        stream.discard(action.which)
        break
      default:
        action satisfies never
    }
  }

  resync(): void {
    for (const { me, live } of Object.values(this.sides)) {
      for (const [ownId, { links }] of live) this.stream.publishLinks(me, reemit({ me, ownId, links }), true)
    }
  }

  get quiet(): boolean {
    const { sides, stream } = this
    return [sides.S.outbox, sides.C.outbox, stream.waiting, stream.delayed].every((list) => list.length === 0)
  }

  private put(me: Side, id: string, wanted: (side: SimulatedSide, current: string[]) => string[]): void {
    const side = this.sides[me]
    this.record('client', me, side.put(id, wanted(side, side.present(id)), this.now))
  }

  private relay(side: SimulatedSide, which: number, crash: Crash): void {
    const entry = pick(side.outbox, which)
    if (entry === undefined || crash === 'at once') return
    this.stream.publish(entry)
    if (crash === 'none') side.outbox.splice(side.outbox.indexOf(entry), 1)
  }

  private deliver(delivery: Delivery | undefined, crash: Crash): void {
    if (delivery === undefined || crash === 'at once') return
    if (delivery.kind === 'mutation') {
      const { from, messages } = delivery
      const half = crash === 'half way' ? messages.slice(0, messages.length >> 1) : messages
      this.stream.publishLinks(from, half)
    } else {
      const { effect, reply } = this.sides[delivery.to].apply(delivery.message, this.now)
      if (reply && effect !== 'stale') this.record('compensation', delivery.to, [reply.link])
      if (crash === 'half way') return
      if (reply && !reply.durable) this.stream.publishLinks(delivery.to, [reply.link], true)
    }
    if (crash === 'none') this.stream.acknowledge(delivery)
  }

  private record(by: Made['by'], side: Side, links: readonly LinkMessage[]): void {
    this.history.push(...links.map((link) => ({ by, side, link })))
  }

  private who({ side, who }: { side: Side; who: number }): string {
    return pick(this.sides[side].made, who) ?? this.ghosts[side]
  }

  /** Ids that the clients of `side` can know of, at most as many as the body schema lets through. */
  private wanted(side: SimulatedSide, picks: readonly number[]): string[] {
    const known = this.targets(side)
    return [...new Set(picks.flatMap((n) => pick(known, n) ?? []))].slice(0, side.limit)
  }

  private toggled(side: SimulatedSide, current: readonly string[], other: number): string[] {
    const id = pick(this.targets(side), other)
    if (id === undefined) return [...current]
    if (current.includes(id)) return current.filter((one) => one !== id)
    return current.length < side.limit ? [...current, id] : [...current]
  }

  private targets(side: SimulatedSide): string[] {
    const other = otherSide(side.me)
    return [...this.sides[other].made, this.ghosts[other]]
  }
}

export function pick<T>(list: readonly T[], n: number): T | undefined {
  return list[n % list.length]
}

export function sameLink(a: LinkMessage, b: LinkMessage): boolean {
  return a.student_id === b.student_id && a.course_id === b.course_id
}
