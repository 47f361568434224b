/** What a role may do in one schema, as `grant` says it: `update (sent_at) on students.outbox`. */
export type Right = string

type Privileges = Readonly<Record<string, readonly string[]>>

const read: Privileges = { entities: ['select'], links: ['select'] }
const settle: Privileges = { outbox: ['select', 'update (sent_at)', 'update (leased_until)'] }

/** By the needs that reach a database: what the statements of their adapters do to which table. */
const privileges: Readonly<Record<string, readonly Privileges[]>> = {
  repository: [read],
  relay: [settle],
  writer: [
    read,
    settle,
    {
      entities: ['insert', 'update', 'delete'],
      // Those of an entity that is deleted go by themselves.
      links: ['insert', 'update'],
      outbox: ['insert'],
      tombstones: ['insert'],
      idempotency: ['select', 'insert', 'update'],
    },
  ],
  outbox: [
    settle,
    { outbox: ['delete'], idempotency: ['select', 'delete'], tombstones: ['select', 'delete'] },
  ],
  tombstones: [read, { entities: ['update (floor)'], links: ['delete'], outbox: ['select'] }],
}

/** All that a function with these needs may do in a schema, each right once; nothing, where none of them reaches it. */
export function rightsOf(schema: string, needs: readonly string[]): Right[] {
  const rights = needs
    .flatMap((need) => privileges[need] ?? [])
    .flatMap((tables) =>
      Object.entries(tables).flatMap(([table, list]) => list.map((one) => `${one} on ${schema}.${table}`)),
    )
  return rights.length === 0 ? [] : [`usage on schema ${schema}`, ...new Set(rights)]
}
