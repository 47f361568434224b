import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LinkMessage } from '../../enrolment/messages.ts'
import type { Register } from '../../enrolment/register.ts'
import { deleteLinks, writeLinks } from '../../enrolment/write-links.ts'
import type { Aggregate, Change, Decide, OutboxEntry } from '../../resource/aggregate.ts'
import type { Repository, Tombstones } from '../../resource/ports.ts'
import type { Store, Subject } from './subject.ts'

export type Creation<F> = Change<F> & { readonly next: Aggregate<F> }

/** The stores under test, and changes as the commands and workers make them. */
export class World<F extends object> {
  readonly subject: Subject<F>
  readonly #stores: readonly Store<F>[]

  constructor(subject: Subject<F>, stores: readonly Store<F>[]) {
    this.subject = subject
    this.#stores = stores
  }

  get first(): Store<F> {
    return this.#store(0)
  }

  /** The other process. */
  get second(): Store<F> {
    return this.#store(1)
  }

  get repository(): Repository<F> & Tombstones {
    return this.first.repository
  }

  #store(index: number): Store<F> {
    const store = this.#stores[index]
    if (!store) throw new Error('the stores are open only while tests run')
    return store
  }

  creation(
    fields = this.subject.fields(),
    members: readonly string[] = [],
    createdAt = Date.now(),
  ): Creation<F> {
    const id = this.subject.newId()
    const { changed, messages } = writeLinks({
      me: this.subject.side,
      ownId: id,
      links: new Map(),
      floor: 0,
      wanted: members,
      now: createdAt,
    })
    const next = { id, fields, links: changed, floor: 0, version: 1, createdAt, updatedAt: createdAt }
    return { next, changed, entry: this.entry(id, messages) }
  }

  /** Inserts one and gives its id. */
  async create(fields?: F, members?: readonly string[], createdAt?: number): Promise<string> {
    const creation = this.creation(fields, members, createdAt)
    await this.repository.insert(creation)
    return creation.next.id
  }

  /** Gives the fields, and moves the version. */
  editing(fields: F): Decide<F, number> {
    return (current) => {
      const base = existing(current)
      const next = { ...base, fields, version: base.version + 1, updatedAt: base.updatedAt + 1 }
      return { result: next.version, change: { next, changed: new Map(), entry: this.entry(base.id) } }
    }
  }

  /** Sets one register, as a link message does. */
  linking(other: string, register: Register, seen = true): Decide<F, void> {
    return (current) => {
      const base = existing(current)
      const links = new Map([...base.links, [other, register] as const])
      const next = { ...base, links, version: base.version + Number(seen) }
      const changed = new Map([[other, register]])
      return { result: undefined, change: { next, changed, entry: this.entry(base.id) } }
    }
  }

  deleting(): Decide<F, void> {
    return (current) => {
      const { id, links } = existing(current)
      const messages = deleteLinks({ me: this.subject.side, ownId: id, links, now: Date.now() })
      const entry = this.entry(id, messages)
      return { result: undefined, change: { next: undefined, changed: new Map(), entry } }
    }
  }

  entry(subject: string, links: readonly LinkMessage[] = []): OutboxEntry {
    const traceparent = '00-11111111111111111111111111111111-2222222222222222-01'
    return {
      id: randomUUID(),
      kind: 'mutation',
      subject,
      links,
      stale: [`id:${subject}`, 'list'],
      traceparent,
    }
  }

  /** Settles all that is in the outbox. */
  async drain(): Promise<void> {
    await sleep(5)
    while ((await this.first.outbox.sweep(0, 100, async () => {})).settled > 0);
  }
}

export function existing<F>(current: Aggregate<F> | undefined): Aggregate<F> {
  if (!current) throw new Error('it is not there')
  return current
}
