import { type ConversionConfig, type JsonSchema, toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { readOnlyFields } from '../../shared/http/validate.ts'
import type { Operation } from '../../shared/spec/define-function.ts'
import { childrenOf, isSchema } from './openapi-examples.ts'

/** JSON Schemas of valibot ones: those that have a title are components, and references to them elsewhere. */
export class Schemas {
  readonly #named = new Map<string, v.GenericSchema>()
  /** Bodies are closed: any field that they do not have is an error. */
  readonly #bodies = new Set<v.GenericSchema>()

  constructor(operations: Iterable<Operation>) {
    for (const { body, success } of operations) {
      if (body) this.#bodies.add(body)
      for (const schema of [body, success.body]) if (schema) this.#collect(schema)
    }
  }

  /** Its JSON Schema, or a reference to it. */
  of(schema: v.GenericSchema): JsonSchema {
    const converted = this.#convert(schema, this.#named)
    return '$ref' in converted ? converted : this.#finish(schema, converted)
  }

  components(): Record<string, JsonSchema> {
    const names = [...this.#named].sort(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(
      names.map(([name, schema]) => [name, this.#finish(schema, this.#whole(schema))]),
    )
  }

  #collect(schema: v.GenericSchema): void {
    const title = v.getTitle(schema)
    if (title !== undefined) {
      const other = this.#named.get(title)
      if (other === schema) return
      if (other) throw new Error(`two schemas have the title ${title}`)
      this.#named.set(title, schema)
    }
    for (const child of childrenOf(schema)) this.#collect(child)
  }

  /** A schema as itself, where its name would make a reference of it. */
  #whole(schema: v.GenericSchema): JsonSchema {
    return this.#convert(
      schema,
      [...this.#named].filter(([, one]) => one !== schema),
    )
  }

  #convert(schema: v.GenericSchema, named: Iterable<readonly [string, v.GenericSchema]>): JsonSchema {
    const definitions = Object.fromEntries(named)
    const {
      $schema: _schema,
      $defs: _defs,
      ...converted
    } = toJsonSchema(schema, { ...conversion, definitions })
    return converted
  }

  #finish(schema: v.GenericSchema, converted: JsonSchema): JsonSchema {
    if (!this.#bodies.has(schema)) return converted
    const { patchOf } = v.getMetadata(schema)
    const body = isSchema(patchOf) ? patch(converted, this.#whole(patchOf)) : converted
    return {
      ...body,
      properties: {
        ...body.properties,
        ...Object.fromEntries(readOnlyFields.map((name) => [name, ignored])),
      },
      additionalProperties: false,
    }
  }
}

const ignored = { readOnly: true, description: 'As answers have it; changes nothing.' }

const conversion: ConversionConfig = {
  target: 'draft-2020-12',
  // What these do is said in descriptions.
  ignoreActions: ['check', 'raw_check', 'transform'],
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  overrideSchema: ({ valibotSchema, jsonSchema }) => {
    // Its metadata says what it is.
    if (valibotSchema.type === 'custom') return { ...jsonSchema }
    if (valibotSchema.type === 'nullable') return nullable(jsonSchema.anyOf?.[0])
    // A query's defaults are text, as the query is.
    if (jsonSchema.type === 'integer' && 'default' in jsonSchema) {
      return { ...jsonSchema, default: Number(jsonSchema.default) }
    }
    if (jsonSchema.required?.length === 0) return without(jsonSchema, 'required')
    return undefined
  },
  overrideAction: ({ valibotAction, jsonSchema }) => {
    if (valibotAction.type !== 'metadata') return undefined
    // A number in a query: the form of the text that it was is not the number's.
    return without(jsonSchema, jsonSchema.type === 'integer' ? 'pattern' : 'patchOf')
  },
}

function without(schema: JsonSchema, key: string): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== key))
}

/** A merge patch: nothing is required, and null takes away what may be missing. */
function patch(own: JsonSchema, { properties = {}, required = [] }: JsonSchema): JsonSchema {
  const fields = Object.entries(properties).map(([name, property]) => {
    if (typeof property === 'boolean') return [name, property]
    const changed = without(property, 'default')
    return [name, required.includes(name) ? changed : nullable(changed)]
  })
  return { ...own, properties: Object.fromEntries(fields) }
}

function nullable(schema: JsonSchema | boolean | undefined): JsonSchema {
  if (typeof schema !== 'object') return {}
  if (typeof schema.type !== 'string') return { anyOf: [schema, { type: 'null' }] }
  return {
    ...schema,
    type: [schema.type, 'null'],
    ...(schema.enum ? { enum: [...schema.enum, null] } : {}),
  }
}
