import * as v from 'valibot'

/** The schemas that a schema is made of. */
export function childrenOf(schema: v.GenericSchema): v.GenericSchema[] {
  const { entries, item, wrapped, options, value } = v.parse(parts, schema)
  return [...Object.values(entries ?? {}), item, wrapped, value, ...(options ?? [])].filter(
    (one) => one !== undefined,
  )
}

/** A value of a schema, made of the examples in it: of itself, else of its fields or items. Undefined without any. */
export function exampleOf(schema: v.GenericSchema): unknown {
  const [own] = examplesIn(schema)
  if (own !== undefined) return own
  const { entries, item, wrapped } = v.parse(parts, schema)
  if (entries) return exampleOfFields(entries)
  if (item) {
    const items = examplesIn(item)
    return items.length > 0 ? items : listOf(exampleOf(item))
  }
  return wrapped && exampleOf(wrapped)
}

function exampleOfFields(entries: Readonly<Record<string, v.GenericSchema>>): unknown {
  const fields = Object.entries(entries).map(([name, field]) => ({ name, field, value: exampleOf(field) }))
  if (fields.some(({ field, value }) => value === undefined && field.type !== 'optional')) return undefined
  return Object.fromEntries(
    fields.filter(({ value }) => value !== undefined).map(({ name, value }) => [name, value]),
  )
}

const listOf = (one: unknown): unknown => (one === undefined ? undefined : [one])

const examplesIn = (schema: v.GenericSchema): readonly unknown[] => v.getExamples(schema)

export const isSchema = (value: unknown): value is v.GenericSchema =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema'

const schema = v.custom<v.GenericSchema>(isSchema)

/** The options of a picklist are no schemas: they count as none. */
const parts = v.object({
  entries: v.optional(v.record(v.string(), schema)),
  item: v.optional(schema),
  wrapped: v.optional(schema),
  value: v.optional(schema),
  options: v.optional(v.fallback(v.optional(v.array(schema)), undefined)),
})
