import type { PostgresClient } from '../../../shared/adapters/postgres-client.ts'
import { type LinkRow, linksIn } from '../../../shared/adapters/postgres-links.ts'
import { isOneOf, type Mapping } from '../../../shared/adapters/postgres-rows.ts'
import type { Side } from '../../../shared/enrolment/register.ts'
import type { Store, Stored, Untold } from './store.ts'

interface Row {
  readonly id: string
  readonly floor: number
  readonly links: readonly LinkRow[]
}

/** A side in a schema of Postgres: students, or courses where they are kept as documents there. */
export function postgresStore<F>(side: Side, client: PostgresClient, mapping: Mapping<F>): Store {
  const { schema, idType } = mapping
  const select = (which = ''): string => `select e.id, e.floor, (
      select coalesce(json_agg(l), '[]') from (
        select member, present, ts, origin, reason from ${schema}.links where owner = e.id ${which}
      ) l
    ) as links from ${schema}.entities e`
  const read = async (text: string, parameters: (string | number)[]): Promise<Stored[]> => {
    const rows = await client.run((sql) => sql.unsafe<Row[]>(text, parameters))
    return rows.map(({ id, floor, links }) => ({ id, floor, links: linksIn(links) }))
  }
  return {
    side,
    page: (after, limit) =>
      after === undefined
        ? read(`${select()} order by e.id limit $1`, [limit])
        : read(`${select()} where e.id > $1::${idType} order by e.id limit $2`, [after, limit]),
    async about(ids, others) {
      if (ids.length === 0) return new Map()
      const found = others
        ? await read(
            `${select(`and member = any(string_to_array($2, ','))`)} where ${isOneOf(mapping, '$1')}`,
            [ids.join(','), others.join(',')],
          )
        : await read(`${select()} where ${isOneOf(mapping, '$1')}`, [ids.join(',')])
      return new Map(found.map((one) => [one.id, one]))
    },
    async showing(other, limit) {
      const rows = await client.run((sql) =>
        sql.unsafe<{ owner: string }[]>(
          `select owner from ${schema}.links where member = $1 and present order by owner limit $2`,
          [other, limit],
        ),
      )
      return rows.map(({ owner }) => owner)
    },
    untold: (limit) =>
      client.run((sql) =>
        // By the clock that wrote the times.
        sql.unsafe<Untold[]>(
          `select id, entry->>'subject' as subject, (extract(epoch from now() - created_at) * 1000)::float8 as age
           from ${schema}.outbox where sent_at is null order by created_at limit $1`,
          [limit],
        ),
      ),
  }
}
