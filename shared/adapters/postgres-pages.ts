import type { PageQuery } from '../resource/ports.ts'
import { entityColumns, type Mapping } from './postgres-rows.ts'

/** The statement that reads a page and one row more, which tells that another page follows. */
export function pageStatement<F>(
  mapping: Mapping<F>,
  { limit, sort, descending, filter, after }: PageQuery,
): { readonly text: string; readonly parameters: (string | number)[] } {
  const parameters: (string | number)[] = []
  const bind = (value: string | number, type = ''): string => `$${parameters.push(value)}${type}`
  const conditions = Object.entries(filter).map(
    ([field, value]) => `${sortOf(mapping, field)} = ${bind(value)}`,
  )
  const key = sort === 'created_at' ? 'e.created_at' : sortOf(mapping, sort)
  if (after) {
    const value =
      sort === 'created_at' ? `to_timestamp(${bind(after.value, '::float8')} / 1000)` : bind(after.value)
    conditions.push(`(${key}, e.id) ${descending ? '<' : '>'} (${value}, ${bind(after.id)})`)
  }
  const direction = descending ? 'desc' : 'asc'
  const text = `select ${entityColumns(mapping)} from ${mapping.schema}.entities e
    ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}
    order by ${key} ${direction}, e.id ${direction} limit ${bind(limit + 1)}`
  return { text, parameters }
}

function sortOf<F>({ sorts }: Mapping<F>, field: string): string {
  const sql = sorts[field]
  if (sql === undefined) throw new Error(`${field} cannot be sorted by`)
  return sql
}
