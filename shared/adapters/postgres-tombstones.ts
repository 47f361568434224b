import { type CollectedTombstones, clockTolerance } from '../enrolment/tombstones.ts'
import type { Query, Transaction } from './postgres-client.ts'
import { prepared } from './postgres-rows.ts'

/**
 * Ids of the aggregates that the oldest tombstones belong to, at most `limit`: see `Tombstones.withTombstones`. Costs one
 * look into an index that has nothing but tombstones, by their age, when none is old enough; and what waits in the outbox
 * is looked at by its age too, so that all that piled up while the broker was away does not slow it.
 */
export async function ownersOfTombstones(
  sql: Query,
  schema: string,
  before: number,
  limit: number,
): Promise<string[]> {
  const rows = await sql.unsafe<{ id: string }[]>(
    `select distinct oldest.owner as id from (
       select l.owner from ${schema}.links l
       where not l.present and l.ts < $1 and not exists (
         select from ${schema}.outbox o where o.sent_at is null
         and o.created_at < to_timestamp($3::float8 / 1000) and o.entry->>'subject' = l.owner::text
       )
       order by l.ts limit $2
     ) oldest`,
    [before * 1000, limit, before + clockTolerance],
    prepared,
  )
  return rows.map(({ id }) => id)
}

/** Drops registers of a locked aggregate and raises the floor that stands for them, in one statement. */
export async function dropTombstones(
  sql: Transaction,
  schema: string,
  id: string,
  { floor, dropped }: CollectedTombstones,
): Promise<void> {
  await sql.unsafe(
    `with dropped as (
       delete from ${schema}.links where owner = $1 and member = any(string_to_array($3, ','))
     )
     update ${schema}.entities set floor = $2 where id = $1`,
    [id, floor, dropped.join(',')],
    prepared,
  )
}
