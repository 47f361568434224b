import type { Filter } from 'mongodb'
import type { MongoDatabase } from '../../../shared/adapters/mongo-client.ts'
import {
  linksOf,
  type MongoMapping,
  type StoredDocument,
  storedId,
} from '../../../shared/adapters/mongo-documents.ts'
import type { Side } from '../../../shared/enrolment/register.ts'
import type { Store, Stored } from './store.ts'

type Projection = Readonly<Record<string, 1>>

/** A side in a collection of MongoDB. */
export function mongoStore<F>(side: Side, database: MongoDatabase, mapping: MongoMapping<F>): Store {
  const find = (filter: Filter<StoredDocument>, projection: Projection, sort: string, limit: number) =>
    database.run((db) =>
      db
        .collection<StoredDocument>(mapping.collection)
        .find(filter, { projection })
        .sort({ [sort]: 1 })
        .limit(limit)
        .toArray(),
    )
  const read = async (
    filter: Filter<StoredDocument>,
    limit: number,
    registers: Projection = { links: 1 },
  ): Promise<Stored[]> => {
    const found = await find({ live: true, ...filter }, { floor: 1, ...registers }, '_id', limit)
    // Of a projection that finds no register nothing is left.
    return found.map(({ _id, floor, links = {} }) => ({
      id: _id.toHexString(),
      floor,
      links: linksOf({ links }),
    }))
  }
  const stored = (id: string) => storedId(id) ?? []
  return {
    side,
    page: (after, limit) => read(after === undefined ? {} : { _id: { $gt: storedIdOf(after) } }, limit),
    async about(ids, others) {
      const _id = { $in: ids.flatMap(stored) }
      if (_id.$in.length === 0) return new Map()
      const registers = others && Object.fromEntries(others.map((other) => [`links.${other}`, 1 as const]))
      const found = await read({ _id }, ids.length, registers)
      return new Map(found.map((one) => [one.id, one]))
    },
    async showing(other, limit) {
      const found = await find({ live: true, [mapping.members]: other }, { _id: 1 }, '_id', limit)
      return found.map(({ _id }) => _id.toHexString())
    },
    async untold(limit) {
      const now = Date.now()
      // Those of tombstones too: a deletion is told from there.
      const found = await find({ outbox_at: { $exists: true } }, { outbox: 1 }, 'outbox_at', limit)
      return found
        .flatMap(({ _id, outbox }) =>
          Object.entries(outbox).map(([id, { at }]) => ({
            id,
            subject: _id.toHexString(),
            age: Math.max(0, now - at.getTime()),
          })),
        )
        .sort((a, b) => b.age - a.age)
        .slice(0, limit)
    },
  }
}

function storedIdOf(id: string): NonNullable<ReturnType<typeof storedId>> {
  const _id = storedId(id)
  if (!_id) throw new Error(`${id} is not the id of a document`)
  return _id
}
