import type postgres from 'postgres'
import type { Aggregate, Change } from '../resource/aggregate.ts'
import type { Query, Transaction } from './postgres-client.ts'
import { type LinkRow, linkRecords, linksIn, recordsOf } from './postgres-links.ts'
import { type Mapping, type OwnRow, ownColumns, ownOf, prepared } from './postgres-rows.ts'

/** Writes a new aggregate, its registers and its outbox entry: one statement, which is atomic by itself. */
export async function insertAggregate<F>(
  sql: Query,
  { schema, columns: columnsOf }: Mapping<F>,
  { next, changed, entry }: Change<F> & { readonly next: Aggregate<F> },
): Promise<void> {
  const columns = columnsOf(next.fields)
  await sql.unsafe(
    `with entity as (
       insert into ${schema}.entities (id, version, floor, created_at, updated_at, ${Object.keys(columns).join(', ')})
       values ($1, $2, $3, to_timestamp($4::float8 / 1000), to_timestamp($5::float8 / 1000),
       ${Object.keys(columns)
         .map((_, i) => `$${i + 9}`)
         .join(', ')}) returning id
     ), linked as (
       insert into ${schema}.links (owner, member, present, ts, origin, reason)
       select entity.id, r.* from entity, ${linkRecords('$6')}
     )
     insert into ${schema}.outbox (id, entry) values ($7, $8)`,
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

/** An aggregate as it was read. */
export interface Found<F> {
  readonly aggregate: Aggregate<F>
  /** What moves at every write to its row: Postgres' `xmin`. */
  readonly revision: string
}

interface AggregateRow extends OwnRow {
  readonly revision: string
  readonly links: readonly LinkRow[]
}

/** The aggregate with its registers, in one statement and so of one moment; undefined when it is not there. */
export async function readAggregate<F>(
  sql: Query,
  mapping: Mapping<F>,
  id: string,
): Promise<Found<F> | undefined> {
  const { schema } = mapping
  const [row] = await sql.unsafe<AggregateRow[]>(
    `select ${ownColumns(mapping)}, e.xmin::text as revision, (
       select coalesce(json_agg(l), '[]') from (
         select member, present, ts, origin, reason from ${schema}.links where owner = e.id
       ) l
     ) as links from ${schema}.entities e where e.id = $1`,
    [id],
    prepared,
  )
  if (!row) return undefined
  const { floor, revision, links } = row
  return { aggregate: { ...ownOf(mapping, row), floor, links: linksIn(links) }, revision }
}

/** Keeps other writers from an aggregate until the transaction ends; what is sent behind it on its connection sees it so. */
export function lockAggregate(
  sql: Transaction,
  schema: string,
  id: string,
): postgres.PendingQuery<postgres.Row[]> {
  return sql.unsafe(`select from ${schema}.entities where id = $1 for update`, [id], prepared)
}

/**
 * Writes what was decided about an aggregate, unless it has changed since it was read: then false, and nothing is
 * written. One statement, which is atomic by itself. Whoever writes registers writes the row too, so the row tells.
 */
export async function writeChange<F>(
  sql: Query,
  { schema, columns: columnsOf }: Mapping<F>,
  { aggregate: { id }, revision }: Found<F>,
  { next, changed, entry }: Change<F>,
): Promise<boolean> {
  const told = `insert into ${schema}.outbox (id, entry) select $3, $4 from entity returning id`
  const parameters = [id, revision, entry.id, JSON.stringify(entry)]
  if (!next) {
    const rows = await sql.unsafe(
      `with entity as (
         delete from ${schema}.entities where id = $1 and xmin = $2::xid returning id
       ), tombstone as (
         insert into ${schema}.tombstones (id) select id from entity
       ) ${told}`,
      parameters,
      prepared,
    )
    return rows.length === 1
  }
  const columns = columnsOf(next.fields)
  const rows = await sql.unsafe(
    `with entity as (
       update ${schema}.entities set version = $5, floor = $6, updated_at = to_timestamp($7::float8 / 1000),
       ${Object.keys(columns)
         .map((name, i) => `${name} = $${i + 9}`)
         .join(', ')} where id = $1 and xmin = $2::xid returning id
     ), linked as (
       insert into ${schema}.links (owner, member, present, ts, origin, reason)
       select entity.id, r.* from entity, ${linkRecords('$8')}
       on conflict (owner, member) do update
       set present = excluded.present, ts = excluded.ts, origin = excluded.origin, reason = excluded.reason
     ) ${told}`,
    [...parameters, next.version, next.floor, next.updatedAt, recordsOf(changed), ...Object.values(columns)],
    prepared,
  )
  return rows.length === 1
}
