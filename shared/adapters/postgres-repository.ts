import type { Register } from '../enrolment/register.ts'
import { Failure, invalid } from '../errors.ts'
import type { Aggregate, Change, Decide, Entity } from '../resource/aggregate.ts'
import type { Claim, Insertion, Page, PageQuery, Repository } from '../resource/ports.ts'
import { type PostgresClient, type Query, type Transaction, violates } from './postgres-client.ts'
import { Turns } from './turns.ts'

/** How one kind of aggregate lies in its table. */
export interface Mapping<F> {
  /** The schema, which has the tables `entities`, `links`, `outbox`, `tombstones` and `idempotency`. */
  readonly schema: string
  /** The columns of the fields, as written. */
  readonly columns: (fields: F) => Readonly<Record<string, string>>
  /** SQL of the columns that `read` wants, over the alias `e`. */
  readonly selected: string
  readonly read: (row: Readonly<Record<string, unknown>>) => F
  /** SQL, over the alias `e`, by which a field is sorted and filtered; an index has it too. */
  readonly sorts: Readonly<Record<string, string>>
  /** What a violated unique constraint means. */
  readonly unique?: { readonly constraint: string; readonly failure: () => Failure }
}

interface Row extends Record<string, unknown> {
  readonly id: string
  readonly members: readonly string[]
  readonly version: number
  readonly floor: number
  readonly created_at: number
  readonly updated_at: number
}

interface LinkRow {
  readonly member: string
  readonly present: boolean
  readonly ts: number
  readonly origin: Register['origin']
  readonly reason: NonNullable<Register['reason']> | null
}

/** Most members that a lookup gives for one id: over any limit, and still a bound. */
const mostMembers = 1000

/** A side's aggregates in Postgres: one row each, one row a register, and the outbox beside them. */
export class PostgresRepository<F extends object> implements Repository<F> {
  readonly #client: PostgresClient
  readonly #mapping: Mapping<F>
  readonly #select: string
  readonly #turns = new Turns()

  constructor(client: PostgresClient, mapping: Mapping<F>) {
    this.#client = client
    this.#mapping = mapping
    this.#select = `e.id, e.version, e.floor, ${millis('e.created_at')} as created_at, ${millis('e.updated_at')} as updated_at,
      to_json(array(select l.member from ${mapping.schema}.links l where l.owner = e.id and l.present order by l.ts, l.member)) as members,
      ${mapping.selected}`
  }

  async get(id: string): Promise<Entity<F> | undefined> {
    const [row] = await this.#client.run((sql) =>
      sql.unsafe<Row[]>(
        `select ${this.#select} from ${this.#table('entities')} e where e.id = $1`,
        [id],
        prepared,
      ),
    )
    return row && this.#entity(row)
  }

  links(id: string): Promise<Aggregate<F>['links'] | undefined> {
    return this.#client.run(async (sql) => {
      const rows = await sql.unsafe<(Omit<LinkRow, 'member'> & { member: string | null })[]>(
        `select l.member, l.present, l.ts, l.origin, l.reason
         from ${this.#table('entities')} e left join ${this.#table('links')} l on l.owner = e.id where e.id = $1`,
        [id],
        prepared,
      )
      if (rows.length === 0) return undefined
      return new Map(
        rows.flatMap(({ member, ...row }) => (member === null ? [] : [register({ member, ...row })])),
      )
    })
  }

  async list({ limit, sort, descending, filter, after }: PageQuery): Promise<Page<F>> {
    const parameters: (string | number)[] = []
    const bind = (value: string | number, type = ''): string => `$${parameters.push(value)}${type}`
    const conditions = Object.entries(filter).map(([field, value]) => `${this.#sort(field)} = ${bind(value)}`)
    const key = sort === 'created_at' ? 'e.created_at' : this.#sort(sort)
    if (after) {
      const value =
        sort === 'created_at' ? `to_timestamp(${bind(after.value, '::float8')} / 1000)` : bind(after.value)
      conditions.push(`(${key}, e.id) ${descending ? '<' : '>'} (${value}, ${bind(after.id)})`)
    }
    const direction = descending ? 'desc' : 'asc'
    const rows = await this.#client.run((sql) =>
      sql.unsafe<Row[]>(
        `select ${this.#select} from ${this.#table('entities')} e
         ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}
         order by ${key} ${direction}, e.id ${direction} limit ${bind(limit + 1)}`,
        parameters,
        prepared,
      ),
    )
    return { items: rows.slice(0, limit).map((row) => this.#entity(row)), more: rows.length > limit }
  }

  async membersOf(otherIds: readonly string[]): Promise<ReadonlyMap<string, readonly Entity<F>[]>> {
    const rows = await this.#client.run((sql) =>
      sql.unsafe<(Row & { other: string })[]>(
        `select o.other, found.* from unnest(string_to_array($1, ',')) as o(other)
         cross join lateral (
           select ${this.#select} from ${this.#table('links')} m join ${this.#table('entities')} e on e.id = m.owner
           where m.member = o.other and m.present order by m.owner limit ${mostMembers}
         ) found`,
        [otherIds.join(',')],
        prepared,
      ),
    )
    const found = new Map<string, Entity<F>[]>(otherIds.map((id) => [id, []]))
    for (const row of rows) found.get(row.other)?.push(this.#entity(row))
    return found
  }

  async insert(change: Change<F> & { readonly next: Aggregate<F> }, claim?: Claim): Promise<Insertion> {
    try {
      // One statement is atomic by itself, and one round trip.
      if (!claim) {
        await this.#client.run((sql) => this.#insert(sql, change))
        return { created: true }
      }
      return await this.#client.transaction(async (sql) => {
        const earlier = await this.#claim(sql, claim)
        if (earlier !== undefined) return { created: false, answer: earlier }
        await this.#insert(sql, change)
        return { created: true }
      })
    } catch (error) {
      throw this.#translate(error)
    }
  }

  async #insert(
    sql: Query,
    { next, changed, entry }: Change<F> & { readonly next: Aggregate<F> },
  ): Promise<void> {
    const columns = this.#mapping.columns(next.fields)
    await sql.unsafe(
      `with entity as (
         insert into ${this.#table('entities')} (id, version, floor, created_at, updated_at, ${Object.keys(columns).join(', ')})
         values ($1, $2, $3, to_timestamp($4::float8 / 1000), to_timestamp($5::float8 / 1000),
         ${Object.keys(columns)
           .map((_, i) => `$${i + 9}`)
           .join(', ')}) returning id
       ), linked as (
         insert into ${this.#table('links')} (owner, member, present, ts, origin, reason)
         select entity.id, r.* from entity, ${linkRecords('$6')}
       )
       insert into ${this.#table('outbox')} (id, entry) values ($7, $8)`,
      [
        next.id,
        next.version,
        next.floor,
        next.createdAt,
        next.updatedAt,
        recordsOf(changed),
        entry.id,
        JSON.stringify(entry),
        ...Object.values(columns),
      ],
      prepared,
    )
  }

  async change<R>(id: string, decide: Decide<F, R>): Promise<R> {
    try {
      return await this.#turns.take(id, () => this.#change(id, decide))
    } catch (error) {
      throw this.#translate(error)
    }
  }

  #change<R>(id: string, decide: Decide<F, R>): Promise<R> {
    return this.#client.transaction(async (sql) => {
      const current = await this.#lock(sql, id)
      const { result, change } = decide(current)
      if (change) await this.#write(sql, id, change)
      return result
    })
  }

  async ping(): Promise<void> {
    await this.#client.run((sql) => sql`select 1`)
  }

  async #lock(sql: Transaction, id: string): Promise<Aggregate<F> | undefined> {
    const [rows, links] = await Promise.all([
      sql.unsafe<Row[]>(
        `select e.id, e.version, e.floor, ${millis('e.created_at')} as created_at, ${millis('e.updated_at')} as updated_at,
         ${this.#mapping.selected} from ${this.#table('entities')} e where e.id = $1 for update`,
        [id],
        prepared,
      ),
      // Sent behind the lock on the same connection, so it is read under it.
      sql.unsafe<LinkRow[]>(
        `select member, present, ts, origin, reason from ${this.#table('links')} where owner = $1`,
        [id],
        prepared,
      ),
    ])
    const [row] = rows
    if (!row) return undefined
    const { members: _, ...entity } = this.#entity({ ...row, members: [] })
    return { ...entity, floor: row.floor, links: new Map(links.map(register)) }
  }

  async #write(sql: Transaction, id: string, change: Change<F>): Promise<void> {
    const { next } = change
    if (!next) {
      await Promise.all([
        sql.unsafe(`delete from ${this.#table('entities')} where id = $1`, [id], prepared),
        sql.unsafe(`insert into ${this.#table('tombstones')} (id) values ($1)`, [id], prepared),
        this.#writeEntry(sql, change),
      ])
      return
    }
    const columns = this.#mapping.columns(next.fields)
    await Promise.all([
      sql.unsafe(
        `update ${this.#table('entities')} set version = $2, floor = $3, updated_at = to_timestamp($4::float8 / 1000),
         ${Object.keys(columns)
           .map((name, i) => `${name} = $${i + 5}`)
           .join(', ')} where id = $1`,
        [id, next.version, next.floor, next.updatedAt, ...Object.values(columns)],
        prepared,
      ),
      ...this.#writeLinks(sql, id, change),
      this.#writeEntry(sql, change),
    ])
  }

  #writeLinks(sql: Transaction, id: string, { changed }: Change<F>): Promise<unknown>[] {
    if (changed.size === 0) return []
    return [
      sql.unsafe(
        `insert into ${this.#table('links')} (owner, member, present, ts, origin, reason)
         select $1, r.* from ${linkRecords('$2')}
         on conflict (owner, member) do update
         set present = excluded.present, ts = excluded.ts, origin = excluded.origin, reason = excluded.reason`,
        [id, recordsOf(changed)],
        prepared,
      ),
    ]
  }

  #writeEntry(sql: Transaction, { entry }: Change<F>): Promise<unknown> {
    return sql.unsafe(
      `insert into ${this.#table('outbox')} (id, entry) values ($1, $2)`,
      [entry.id, JSON.stringify(entry)],
      prepared,
    )
  }

  /** The answer kept under the claim; without one, the claim is made, and kept if the transaction is. */
  async #claim(sql: Transaction, { key, payload, answer }: Claim): Promise<string | undefined> {
    const [lock] = await sql.unsafe<{ mine: boolean }[]>(
      `select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as mine`,
      [`${this.#mapping.schema} ${key}`],
      prepared,
    )
    if (!lock?.mine) {
      throw new Failure('conflict', {
        detail: 'a request with this Idempotency-Key is being served; try again later',
      })
    }
    const [kept] = await sql.unsafe<{ payload: string; answer: string }[]>(
      `select payload, answer from ${this.#table('idempotency')} where key = $1 and created_at > now() - interval '24 hours'`,
      [key],
      prepared,
    )
    if (kept && kept.payload !== payload) {
      throw invalid([
        { pointer: '', message: 'is not the body that this Idempotency-Key was used with before' },
      ])
    }
    if (kept) return kept.answer
    await sql.unsafe(
      `insert into ${this.#table('idempotency')} (key, payload, answer) values ($1, $2, $3)
       on conflict (key) do update set payload = excluded.payload, answer = excluded.answer, created_at = now()`,
      [key, payload, answer],
      prepared,
    )
    return undefined
  }

  #entity(row: Row): Entity<F> {
    const { id, members, version, created_at, updated_at } = row
    return {
      id,
      fields: this.#mapping.read(row),
      members,
      version,
      createdAt: created_at,
      updatedAt: updated_at,
    }
  }

  #sort(field: string): string {
    const sql = this.#mapping.sorts[field]
    if (sql === undefined) throw new Error(`${field} cannot be sorted by`)
    return sql
  }

  #table(name: string): string {
    return `${this.#mapping.schema}.${name}`
  }

  #translate(error: unknown): unknown {
    const { unique } = this.#mapping
    return unique && violates(error, unique.constraint) ? unique.failure() : error
  }
}

const prepared = { prepare: true } as const

/** Milliseconds since 1970 of a timestamp column. */
function millis(column: string): string {
  return `(extract(epoch from ${column}) * 1000)::float8`
}

/** Registers as one parameter, and as SQL's records of it. */
function recordsOf(changed: Change<unknown>['changed']): string {
  return JSON.stringify(
    [...changed].map(([member, { present, ts, origin, reason }]) => ({
      member,
      present,
      ts,
      origin,
      reason,
    })),
  )
}

const linkRecords = (parameter: string): string =>
  `json_to_recordset(${parameter}::json) as r(member text, present boolean, ts bigint, origin text, reason text)`

function register({ member, present, ts, origin, reason }: LinkRow): [string, Register] {
  return [member, { present, ts, origin, ...(reason === null ? {} : { reason }) }]
}
