import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/** What is used here of a JSON Schema (2020-12). */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly propertyNames?: { readonly pattern?: string }
  readonly readOnly?: boolean
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}

/** An answer as it is declared; without `content` it has no body. */
export interface Declared {
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>
}

/** One method of one path. */
export interface Operation {
  readonly path: string
  /** In upper case. */
  readonly method: string
  readonly isPublic: boolean
  readonly parameters: readonly Parameter[]
  /** By media type. */
  readonly bodies: Readonly<Record<string, Schema>>
  /** By status. */
  readonly responses: ReadonlyMap<number, Declared>
}

interface OperationObject {
  readonly security?: readonly unknown[]
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, Declared | { readonly $ref: string }>>
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
}

/** openapi.json as promises: what may be asked, and what an answer must look like. */
export class Description {
  readonly operations: readonly Operation[]
  readonly #document: Document
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })
  readonly #validators = new Map<Schema, ValidateFunction>()

  /** @param wanted the operations that are asked for, all of them unless it says otherwise */
  constructor(
    wanted: (operation: Operation) => boolean = () => true,
    file = join(import.meta.dirname, '../../openapi.json'),
  ) {
    // A file of this repository, whose own tests hold it to be valid OpenAPI.
    this.#document = JSON.parse(readFileSync(file, 'utf8')) as Document
    formats.default(this.#ajv)
    this.#ajv.addSchema(this.#document, 'openapi.json')
    this.operations = Object.entries(this.#document.paths)
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => this.#operation(path, method, operation)),
      )
      .filter(wanted)
  }

  /** The problem details that every refusal has. */
  readonly problem: Schema = { $ref: '#/components/schemas/Problem' }

  /** The schema that a reference stands for. */
  resolve(schema: Schema): Schema {
    return schema.$ref === undefined ? schema : this.resolve(this.#at<Schema>(schema.$ref))
  }

  /** What is wrong with a value by a schema, each in a line. */
  violations(schema: Schema, value: unknown): string[] {
    const validate = this.#validators.get(schema) ?? this.#ajv.compile(absolute(schema))
    this.#validators.set(schema, validate)
    if (validate(value)) return []
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
  }

  #operation(path: string, method: string, object: OperationObject): Operation {
    const { security, parameters = [], requestBody, responses } = object
    const whole = <T extends object>(value: T | { readonly $ref: string }): T =>
      '$ref' in value ? this.#at<T>(value.$ref) : value
    return {
      path,
      method: method.toUpperCase(),
      isPublic: security?.length === 0,
      parameters: parameters.map((one) => whole<Parameter>(one)),
      bodies: Object.fromEntries(
        Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => [type, schema]),
      ),
      responses: new Map(
        Object.entries(responses).map(([status, one]) => [Number(status), whole<Declared>(one)]),
      ),
    }
  }

  #at<T>(reference: string): T {
    const steps = reference.slice(2).split('/')
    // References lead where the document, which is valid, has what they stand for.
    return steps.reduce<unknown>(
      (value, step) => (value as Record<string, unknown>)[step],
      this.#document,
    ) as T
  }
}

/** References of the document's own, so that they are found from outside of it. */
function absolute(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"openapi.json#/')) as Schema
}
