import type { Links, Register } from '../enrolment/register.ts'
import type { Query } from './postgres-client.ts'
import { prepared } from './postgres-rows.ts'

/** A register as a row of `links`. */
export interface LinkRow {
  readonly member: string
  readonly present: boolean
  readonly ts: number
  readonly origin: Register['origin']
  readonly reason: NonNullable<Register['reason']> | null
}

/** The registers of one aggregate; undefined when it is not there. */
export async function linksOf(sql: Query, schema: string, id: string): Promise<Links | undefined> {
  const rows = await sql.unsafe<(Omit<LinkRow, 'member'> & { member: string | null })[]>(
    `select l.member, l.present, l.ts, l.origin, l.reason
     from ${schema}.entities e left join ${schema}.links l on l.owner = e.id where e.id = $1`,
    [id],
    prepared,
  )
  if (rows.length === 0) return undefined
  return new Map(
    rows.flatMap(({ member, ...row }) => (member === null ? [] : [register({ member, ...row })])),
  )
}

export function linksIn(rows: readonly LinkRow[]): Links {
  return new Map(rows.map(register))
}

/** Registers as one parameter, which `linkRecords` reads. */
export function recordsOf(changed: Links): string {
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

/** SQL of the records `r` in a parameter, in the order of the columns of `links` behind `owner`. */
export const linkRecords = (parameter: string): string =>
  `json_to_recordset(${parameter}::json) as r(member text, present boolean, ts bigint, origin text, reason text)`

function register({ member, present, ts, origin, reason }: LinkRow): [string, Register] {
  return [member, { present, ts, origin, ...(reason === null ? {} : { reason }) }]
}
