import type { Failure } from '../errors.ts'
import type { Entity } from '../resource/aggregate.ts'
import type { Query } from './postgres-client.ts'

/** How one kind of aggregate lies in its table. */
export interface Mapping<F> {
  /** The schema, which has the tables `entities`, `links`, `outbox`, `tombstones` and `idempotency`. */
  readonly schema: string
  /** The type of `entities.id`. */
  readonly idType: 'uuid' | 'text'
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

/** What `ownColumns` selects. */
export interface OwnRow extends Record<string, unknown> {
  readonly id: string
  readonly version: number
  readonly floor: number
  readonly created_at: number
  readonly updated_at: number
}

/** What `entityColumns` selects. */
export interface EntityRow extends OwnRow {
  readonly members: readonly string[]
}

/** Each statement is parsed once per connection. */
export const prepared = { prepare: true } as const

/** SQL of an aggregate's own row, over the alias `e`. */
export function ownColumns<F>({ selected }: Mapping<F>): string {
  return `e.id, e.version, e.floor, ${millis('e.created_at')} as created_at, ${millis('e.updated_at')} as updated_at, ${selected}`
}

/** The same, with the ids that are linked. */
export function entityColumns<F>(mapping: Mapping<F>): string {
  return `${ownColumns(mapping)},
    to_json(array(select l.member from ${mapping.schema}.links l where l.owner = e.id and l.present order by l.ts, l.member)) as members`
}

export function entityOf<F>(mapping: Mapping<F>, row: EntityRow): Entity<F> {
  return { ...ownOf(mapping, row), members: row.members }
}

/** The aggregates that there are, by their ids. */
export async function entitiesOf<F>(
  sql: Query,
  mapping: Mapping<F>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Entity<F>>> {
  const rows = await sql.unsafe<EntityRow[]>(
    `select ${entityColumns(mapping)} from ${mapping.schema}.entities e where ${isOneOf(mapping, '$1')}`,
    [ids.join(',')],
    prepared,
  )
  return new Map(rows.map((row) => [row.id, entityOf(mapping, row)]))
}

/** SQL of whether `e` has one of the ids in a parameter, which has them with commas between. */
export const isOneOf = ({ idType }: Pick<Mapping<never>, 'idType'>, parameter: string): string =>
  `e.id = any(string_to_array(${parameter}, ',')::${idType}[])`

export function ownOf<F>(mapping: Mapping<F>, row: OwnRow): Omit<Entity<F>, 'members'> {
  const { id, version, created_at, updated_at } = row
  return { id, fields: mapping.read(row), version, createdAt: created_at, updatedAt: updated_at }
}

/** Milliseconds since 1970 of a timestamp column. */
function millis(column: string): string {
  return `(extract(epoch from ${column}) * 1000)::float8`
}
