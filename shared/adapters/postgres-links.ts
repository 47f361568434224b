import type { Links, Register } from '../enrolment/register.ts'
import type { Query } from './postgres-client.ts'
import { isOneOf, type Mapping, prepared } from './postgres-rows.ts'

/** A register as a row of `links`. */
export interface LinkRow {
  readonly member: string
  readonly present: boolean
  readonly ts: number
  readonly origin: Register['origin']
  readonly reason: NonNullable<Register['reason']> | null
}

interface OwnedRow extends Omit<LinkRow, 'member'> {
  readonly owner: string
  readonly member: string | null
}

/** The registers of each aggregate, by its id; those that are not there are left out. */
export async function linksOf(
  sql: Query,
  mapping: Pick<Mapping<never>, 'schema' | 'idType'>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Links>> {
  const rows = await sql.unsafe<OwnedRow[]>(
    `select e.id as owner, l.member, l.present, l.ts, l.origin, l.reason
     from ${mapping.schema}.entities e left join ${mapping.schema}.links l on l.owner = e.id
     where ${isOneOf(mapping, '$1')}`,
    [ids.join(',')],
    prepared,
  )
  const found = new Map<string, Map<string, Register>>()
  for (const { owner, member, ...row } of rows) {
    const links = found.get(owner) ?? new Map<string, Register>()
    found.set(owner, links)
    if (member !== null) links.set(...register({ member, ...row }))
  }
  return found
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
