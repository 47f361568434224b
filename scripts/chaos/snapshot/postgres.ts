import postgres from 'postgres'
import type { Register } from '../../../shared/enrolment/register.ts'
import type { StoredSide } from './snapshot.ts'

interface Row {
  readonly id: string
  readonly name: string
  readonly version: number
  readonly links: Readonly<Record<string, Register>> | null
}

/** A side that lies in Postgres, of one moment. */
export async function readPostgres(
  url: string,
  schema: 'students' | 'courses',
  name: string,
): Promise<StoredSide> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, fetch_types: false, connect_timeout: 5 })
  try {
    return await sql.begin('isolation level repeatable read read only', async (moment) => {
      const rows = await moment.unsafe<Row[]>(
        `select e.id::text, ${name} as name, e.version, (
           select json_object_agg(l.member, json_strip_nulls(json_build_object(
             'present', l.present, 'ts', l.ts, 'origin', l.origin, 'reason', l.reason)))
           from ${schema}.links l where l.owner = e.id
         ) as links from ${schema}.entities e order by e.id`,
      )
      const [{ untold } = { untold: 0 }] = await moment.unsafe<{ untold: number }[]>(
        `select count(*)::int as untold from ${schema}.outbox where sent_at is null`,
      )
      return { entities: rows.map((row) => ({ ...row, links: row.links ?? {} })), untold }
    })
  } finally {
    await sql.end({ timeout: 2 })
  }
}
