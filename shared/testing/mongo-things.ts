import { ObjectId } from 'mongodb'
import { MongoDatabase } from '../adapters/mongo-client.ts'
import type { MongoMapping } from '../adapters/mongo-documents.ts'
import type { Aggregate, Change } from '../resource/aggregate.ts'
import { World } from './repository-contract/world.ts'

/** The smallest aggregate that there is, for what only the MongoDB adapter can be asked. */
export interface Thing {
  readonly name: string
}

export const things: MongoMapping<Thing> = {
  collection: 'things',
  members: 'student_ids',
  write: ({ name }) => ({ name }),
  read: ({ name }) => ({ name: String(name) }),
  sorts: ['name'],
  filters: ['name'],
}

const newId = (): string => new ObjectId().toHexString()

/** Makes changes as the contract's tests do; its stores are not used. */
export const making = new World<Thing>(
  {
    side: 'C',
    newId,
    newOther: () => crypto.randomUUID(),
    fields: (wanted) => ({ name: 'thing', ...wanted }),
    texts: ['name', 'name'],
    open: () => Promise.reject(new Error('not used')),
    age: async () => {},
    leftovers: async () => 0,
  },
  [],
)

export type Making = Change<Thing> & { readonly next: Aggregate<Thing> }

/** Stands for a process that is killed before its call number `before`, or when that has done its work. */
export class MortalDatabase extends MongoDatabase {
  #calls = 0
  readonly #death: { readonly call: number; readonly done: boolean }

  constructor(url: string, death: { readonly call: number; readonly done: boolean }) {
    super({ url })
    this.#death = death
  }

  override async run<T>(work: Parameters<typeof MongoDatabase.prototype.run<T>>[0]): Promise<T> {
    const { call, done } = this.#death
    const dies = ++this.#calls >= call
    if (!dies) return super.run(work)
    if (done && this.#calls === call) await super.run(work)
    // For ever: whoever was waiting is gone too.
    return new Promise<never>(() => {})
  }
}
