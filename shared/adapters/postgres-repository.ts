import { batching } from '../batching.ts'
import type { Aggregate as Linked } from '../enrolment/links.ts'
import type { Links } from '../enrolment/register.ts'
import type { CollectedTombstones } from '../enrolment/tombstones.ts'
import type { Aggregate, Change, Decide, Entity } from '../resource/aggregate.ts'
import type { Claim, Insertion, Page, PageQuery, Repository, Tombstones } from '../resource/ports.ts'
import { claimIn } from './postgres-claims.ts'
import { type PostgresClient, type Query, type Sql, type Transaction, violates } from './postgres-client.ts'
import { linksOf } from './postgres-links.ts'
import { insertAggregate, lockAggregate, readAggregate, writeChange } from './postgres-mutations.ts'
import { pageStatement } from './postgres-pages.ts'
import {
  type EntityRow,
  entitiesOf,
  entityColumns,
  entityOf,
  type Mapping,
  prepared,
} from './postgres-rows.ts'
import { dropTombstones, ownersOfTombstones } from './postgres-tombstones.ts'
import { Turns } from './turns.ts'

/** Most members that a lookup gives for one id: over any limit, and still a bound. */
const mostMembers = 1000

/** Most aggregates that one statement reads. */
const mostIds = 100

/**
 * How often a change is tried without a lock, which is two round trips where a transaction is four, and leaves nothing
 * locked behind when its process is stopped. Then its writers take turns.
 */
const optimism = 3

/** A side's aggregates in Postgres: one row each, one row a register, and the outbox beside them. */
export class PostgresRepository<F extends object> implements Repository<F>, Tombstones {
  readonly #client: PostgresClient
  readonly #mapping: Mapping<F>
  readonly #select: string
  readonly #turns = new Turns()
  readonly #entities: (id: string) => Promise<ReadonlyMap<string, Entity<F>>>
  readonly #links: (id: string) => Promise<ReadonlyMap<string, Links>>

  constructor(client: PostgresClient, mapping: Mapping<F>) {
    this.#client = client
    this.#mapping = mapping
    this.#select = entityColumns(mapping)
    // Reads of one turn of the event loop are one statement: it costs more than its rows.
    const batched = <R>(
      read: (sql: Sql, ids: readonly string[]) => Promise<R>,
    ): ((id: string) => Promise<R>) =>
      batching<void, R>((ids) => client.run((sql) => read(sql, ids)), mostIds)
    this.#entities = batched((sql, ids) => entitiesOf(sql, mapping, ids))
    this.#links = batched((sql, ids) => linksOf(sql, mapping, ids))
  }

  async get(id: string): Promise<Entity<F> | undefined> {
    return (await this.#entities(id)).get(id)
  }

  async links(id: string): Promise<Links | undefined> {
    return (await this.#links(id)).get(id)
  }

  async list(query: PageQuery): Promise<Page<F>> {
    const { text, parameters } = pageStatement(this.#mapping, query)
    const rows = await this.#client.run((sql) => sql.unsafe<EntityRow[]>(text, parameters, prepared))
    const items = rows.slice(0, query.limit).map((row) => entityOf(this.#mapping, row))
    return { items, more: rows.length > query.limit }
  }

  async membersOf(otherIds: readonly string[]): Promise<ReadonlyMap<string, readonly Entity<F>[]>> {
    const { schema } = this.#mapping
    const rows = await this.#client.run((sql) =>
      sql.unsafe<(EntityRow & { other: string })[]>(
        `select o.other, found.* from unnest(string_to_array($1, ',')) as o(other)
         cross join lateral (
           select ${this.#select} from ${schema}.links m join ${schema}.entities e on e.id = m.owner
           where m.member = o.other and m.present order by m.owner limit ${mostMembers}
         ) found`,
        [otherIds.join(',')],
        prepared,
      ),
    )
    const found = new Map<string, Entity<F>[]>(otherIds.map((id) => [id, []]))
    for (const row of rows) found.get(row.other)?.push(entityOf(this.#mapping, row))
    return found
  }

  async insert(change: Change<F> & { readonly next: Aggregate<F> }, claim?: Claim): Promise<Insertion> {
    try {
      // One statement is atomic by itself, and one round trip.
      if (!claim) {
        await this.#client.run((sql) => insertAggregate(sql, this.#mapping, change))
        return { created: true }
      }
      return await this.#client.transaction(async (sql) => {
        const earlier = await claimIn(sql, this.#mapping.schema, claim)
        if (earlier !== undefined) return { created: false, answer: earlier }
        await insertAggregate(sql, this.#mapping, change)
        return { created: true }
      })
    } catch (error) {
      throw this.#translate(error)
    }
  }

  async change<R>(id: string, decide: Decide<F, R>): Promise<R> {
    try {
      return await this.#turns.take(id, async () => {
        for (let attempt = 1; attempt <= optimism; attempt++) {
          const decided = await this.#client.run((sql) => this.#decided(sql, id, decide), 'postgres change')
          if (decided) return decided.result
        }
        return await this.#locked(id, async (sql) => {
          const decided = await this.#decided(sql, id, decide)
          if (!decided) throw new Error('a locked row was changed')
          return decided.result
        })
      })
    } catch (error) {
      throw this.#translate(error)
    }
  }

  withTombstones(before: number, limit: number): Promise<readonly string[]> {
    return this.#client.run((sql) => ownersOfTombstones(sql, this.#mapping.schema, before, limit))
  }

  collect(id: string, decide: (current: Linked) => CollectedTombstones): Promise<number> {
    return this.#turns.take(id, () =>
      this.#locked(id, async (sql) => {
        const found = await readAggregate(sql, this.#mapping, id)
        if (!found) return 0
        const collected = decide(found.aggregate)
        if (collected.dropped.length > 0) await dropTombstones(sql, this.#mapping.schema, id, collected)
        return collected.dropped.length
      }),
    )
  }

  async ping(): Promise<void> {
    await this.#client.run((sql) => sql`select 1`)
  }

  /** Decides about the aggregate as it is and writes that; undefined when somebody else wrote in between. */
  async #decided<R>(sql: Query, id: string, decide: Decide<F, R>): Promise<{ result: R } | undefined> {
    const found = await readAggregate(sql, this.#mapping, id)
    const { result, change } = decide(found?.aggregate)
    if (!change) return { result }
    if (!found) throw new Error('a change needs something to change')
    return (await writeChange(sql, this.#mapping, found, change)) ? { result } : undefined
  }

  /** Works on one aggregate, alone with it. */
  #locked<T>(id: string, work: (sql: Transaction) => Promise<T>): Promise<T> {
    return this.#client.transaction(async (sql) => {
      // Sent before what the work sends, on the same connection, and so waited for by it.
      const locked = lockAggregate(sql, this.#mapping.schema, id).execute()
      const [done] = await Promise.all([work(sql), locked])
      return done
    })
  }

  #translate(error: unknown): unknown {
    const { unique } = this.#mapping
    return unique && violates(error, unique.constraint) ? unique.failure() : error
  }
}
