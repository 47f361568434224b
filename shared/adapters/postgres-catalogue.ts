import type postgres from 'postgres'

/** A table, view, column, constraint or index, as the server describes it. */
export type Thing = {
  /** `index entities_name_id_idx` */
  readonly object: string
  /** The table or view that it is, or is of. */
  readonly relation: string
  /** Empty for a table or view, whose columns are things of their own. */
  readonly definition: string
}

/** What a migration made of a thing: null where it took it away. */
export type Change = Omit<Thing, 'definition'> & { readonly definition: string | null }

/**
 * What there is in the first schema of the search path, which no definition names. The text of views is left out: later
 * versions of the server write it in another way.
 */
export async function catalogue(sql: postgres.TransactionSql): Promise<Map<string, Thing>> {
  const things = await sql<Thing[]>`
    with relations as (
      select oid, relname, case when relkind in ('v', 'm') then 'view' else 'table' end as kind from pg_class
      where relnamespace = (select oid from pg_namespace where nspname = current_schema())
      and relkind in ('r', 'p', 'v', 'm')
    )
    select kind || ' ' || relname as object, relname as relation, '' as definition from relations
    union all
    select 'column ' || relname || '.' || attname, relname, concat_ws(' ', format_type(atttypid, atttypmod),
      'collate ' || nullif(collname, 'default'), case when attnotnull then 'not null' end,
      'default ' || pg_get_expr(adbin, adrelid))
    from relations join pg_attribute on attrelid = relations.oid and attnum > 0 and not attisdropped
    left join pg_collation on pg_collation.oid = attcollation
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    union all
    select 'constraint ' || relname || '.' || conname, relname, pg_get_constraintdef(pg_constraint.oid, true)
    from relations join pg_constraint on conrelid = relations.oid and contype in ('p', 'u', 'f', 'c', 'x')
    union all
    select 'index ' || index.relname, relations.relname,
      pg_get_indexdef(indexrelid, 0, true) || case when indisvalid then '' else ' (invalid)' end
    from relations join pg_index on indrelid = relations.oid join pg_class index on index.oid = indexrelid
    where not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))`
  return new Map(things.toSorted(byObject).map((thing) => [thing.object, thing]))
}

const byObject = (a: Thing, b: Thing): number => (a.object < b.object ? -1 : 1)

/** What has become of things. */
export function changes(before: ReadonlyMap<string, Thing>, after: ReadonlyMap<string, Thing>): Change[] {
  const made = [...after.values()].filter((it) => before.get(it.object)?.definition !== it.definition)
  const gone = [...before.values()].filter(({ object }) => !after.has(object))
  return [...made, ...gone.map((it) => ({ ...it, definition: null }))]
}

/** What there is after changes, the earliest first. */
export function afterAll(all: Iterable<Change>): Map<string, Thing> {
  const things = new Map<string, Thing>()
  for (const { definition, ...thing } of all) {
    if (definition === null) things.delete(thing.object)
    else things.set(thing.object, { ...thing, definition })
  }
  return things
}
