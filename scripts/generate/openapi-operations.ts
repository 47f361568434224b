import type { GenericSchema } from 'valibot'
import type { Operation } from '../../shared/spec/define-function.ts'
import { exampleOf, isSchema } from './openapi-examples.ts'
import { headerRefs, parameterRef } from './openapi-headers.ts'
import { problemRef } from './openapi-problems.ts'
import type { Schemas } from './openapi-schemas.ts'

/** An operation, and where it was declared. */
export interface Declared {
  /** `students` */
  readonly service: string
  /** `create` */
  readonly name: string
  readonly operation: Operation
}

export const securityName = 'key'

/** The operation object of a declared operation. */
export function operationObject(declared: Declared, schemas: Schemas): Record<string, unknown> {
  const { service, name, operation } = declared
  const parameters = parametersOf(operation, schemas)
  const { body } = operation
  return {
    operationId: `${service}${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    summary: operation.summary,
    tags: [service],
    ...(operation.public ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: content(operation.accepts, body, schemas) } } : {}),
    responses: responsesOf(operation, schemas),
  }
}

function parametersOf(
  { method, params, query, success, idempotent, conditional }: Operation,
  schemas: Schemas,
): unknown[] {
  const path = Object.entries(params ?? {}).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema: schemas.of(schema),
  }))
  const inQuery = Object.entries(query?.entries ?? {}).flatMap(([name, entry]) => {
    if (!isSchema(entry)) return []
    const { description, ...schema } = schemas.of(entry)
    return [{ name, in: 'query', ...(description === undefined ? {} : { description }), schema }]
  })
  return [
    ...path,
    ...inQuery,
    ...(idempotent ? [parameterRef('IdempotencyKey')] : []),
    ...(conditional ? [parameterRef('IfMatch')] : []),
    ...(method === 'GET' && success.headers?.includes('ETag') ? [parameterRef('IfNoneMatch')] : []),
  ]
}

function content(
  types: readonly string[] = ['application/json'],
  body: GenericSchema,
  schemas: Schemas,
  example: unknown = exampleOf(body),
): Record<string, unknown> {
  return Object.fromEntries(
    types.map((type) => [type, { schema: schemas.of(body), ...(example === undefined ? {} : { example }) }]),
  )
}

/**
 * The statuses that any operation may answer: those of a request's form, be its body one that nobody wants, of the
 * gateway's rate limit, and of what stands behind it. A key in a query is refused where none is needed, too.
 */
const always = [400, 401, 413, 429, 500, 502, 503, 504]

export function failuresOf({ failures = [] }: Pick<Operation, 'failures'>): number[] {
  return [...new Set([...always, ...failures])].sort((a, b) => a - b)
}

function responsesOf(operation: Operation, schemas: Schemas): Record<string, unknown> {
  const { method, success, idempotent } = operation
  const { status, description, body, type, example } = success
  const names = [
    ...(success.headers ?? []),
    ...(method === 'GET' ? ['Cache-Status'] : []),
    ...(idempotent ? ['Idempotency-Replayed'] : []),
  ]
  const ok = {
    description,
    ...(names.length > 0 ? { headers: headerRefs(names) } : {}),
    ...(body ? { content: content(type === undefined ? undefined : [type], body, schemas, example) } : {}),
  }
  const others = failuresOf(operation).map((one) => [one, one === 304 ? notModifiedRef : problemRef(one)])
  return { [status]: ok, ...Object.fromEntries(others) }
}

const notModifiedRef = { $ref: '#/components/responses/NotModified' }

export const notModified = {
  description: 'It is still the one of If-None-Match.',
  headers: headerRefs(['ETag', 'Cache-Status']),
}
