import * as v from 'valibot'
import { Failure, invalid, type Violation } from '../errors.ts'
import type { FieldsSchema } from '../spec/define-function.ts'
import { UnsafeNumber } from './json.ts'
import { type HttpRequest, header } from './message.ts'

/** A JSON pointer (RFC 6901) to where an issue is. */
export function pointerTo(path: readonly unknown[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function violations(issues: readonly v.BaseIssue<unknown>[]): Violation[] {
  return issues.map(({ path, message }) => ({
    pointer: pointerTo((path ?? []).map((item) => item.key)),
    message,
  }))
}

/** What a schema makes of an object, and everything that is wrong with it. */
function check(
  schema: FieldsSchema,
  value: Readonly<Record<string, unknown>>,
  unknown: string,
  ignored: readonly string[],
) {
  const errors: Violation[] = Object.keys(value)
    .filter((key) => !Object.hasOwn(schema.entries, key) && !ignored.includes(key))
    .map((key) => ({ pointer: pointerTo([key]), message: unknown }))
  // Copied without a prototype, so that no entry is found that was not sent.
  const result = v.safeParse(schema, Object.assign(Object.create(null), value))
  if (!result.success) errors.push(...violations(result.issues))
  return { errors, output: result.output }
}

/** Fields that a body may carry, as answers do, and that change nothing. */
export const readOnlyFields: readonly string[] = ['id', 'version', 'created_at', 'updated_at']

/** What a schema makes of a body. @throws Failure `invalid` with everything that is wrong. */
export function validBody(schema: FieldsSchema, value: unknown): unknown {
  if (!isObject(value)) throw invalid([{ pointer: '', message: 'must be an object' }])
  const { errors, output } = check(schema, value, 'is not a known field', readOnlyFields)
  if (errors.length > 0) throw invalid(errors)
  return output
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof UnsafeNumber)
  )
}

/** Looks at what a request says of its body. @throws Failure `unsupported_media_type` unless it is JSON of such a type. */
export function checkJsonType(request: Pick<HttpRequest, 'headers'>, accepts: readonly string[]): void {
  const [type = '', ...parameters] = (header(request, 'content-type') ?? '').toLowerCase().split(';')
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='))
  const encoding = (header(request, 'content-encoding') ?? 'identity').toLowerCase()
  if (
    !accepts.includes(type.trim()) ||
    (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) ||
    encoding !== 'identity'
  ) {
    throw new Failure('unsupported_media_type', {
      detail: `the body must be ${accepts.join(' or ')}, in UTF-8 and not compressed`,
      headers: { accept: accepts.join(', ') },
    })
  }
}

/** The query as an object of strings. @throws Failure `malformed` with everything that is wrong. */
export function validQuery(schema: FieldsSchema | undefined, query: string): unknown {
  if (query === '' && !schema) return {}
  const values: Record<string, string> = Object.create(null)
  const errors: Violation[] = []
  if (!isDecodable(query)) errors.push({ pointer: '', message: 'has a broken percent-encoding' })
  for (const [name, value] of new URLSearchParams(`?${query}`)) {
    if (name in values) errors.push({ pointer: pointerTo([name]), message: 'must be given once' })
    values[name] = value
  }
  const { errors: wrong, output } = check(schema ?? noParameters, values, 'is not a known parameter', [])
  errors.push(...wrong)
  if (errors.length > 0) throw new Failure('malformed', { detail: 'the query is not valid', errors })
  return output
}

function isDecodable(query: string): boolean {
  try {
    decodeURIComponent(query)
    return true
  } catch {
    return false
  }
}

const noParameters = v.object({})
