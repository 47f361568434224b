import fc from 'fast-check'
import type { Description, Operation, Parameter, Schema } from '../openapi.ts'
import { valid } from '../values.ts'
import type { Drawn } from './drawn.ts'

/** What an operation is to take, as the description has it. */
export function validRequest(description: Description, operation: Operation): fc.Arbitrary<Drawn> {
  const { method, bodies, parameters } = operation
  const of = (where: Parameter['in']) => parameters.filter((one) => one.in === where && one.name !== 'cursor')
  const body = fc
    .constantFrom(...entriesOr(bodies))
    .chain(([type, schema]) =>
      schema ? valid(description, schema).map((value) => ({ type, value })) : fc.constant(undefined),
    )
  return fc
    .record({
      params: record(description, of('path')),
      query: record(description, of('query')),
      headers: record(description, of('header')),
      body,
      method: method === 'GET' ? fc.constantFrom('GET', 'GET', 'GET', 'HEAD') : fc.constant(method),
      which: fc.option(fc.nat(99), { nil: undefined, freq: 8 }),
      chunked: fc.boolean(),
    })
    .map(({ params, query, headers, body, ...rest }) => ({
      ...rest,
      family: 'valid' as const,
      operation,
      params,
      query: some(query),
      headers: some(headers).filter(([, value]) => /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)),
      ...(body && { body }),
      key: 'right' as const,
    }))
}

/** The text of each parameter, some left out. */
function record(
  description: Description,
  parameters: readonly Parameter[],
): fc.Arbitrary<Record<string, string>> {
  const model = Object.fromEntries(
    parameters.map(({ name, schema }) => [name, valid(description, schema).map(String)]),
  )
  const needed = parameters.filter((one) => one.in === 'path').map((one) => one.name)
  return fc.record(model, { requiredKeys: needed }) as fc.Arbitrary<Record<string, string>>
}

const some = (texts: Readonly<Record<string, string | undefined>>): [string, string][] =>
  Object.entries(texts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))

function entriesOr(bodies: Operation['bodies']): (readonly [type: string, schema: Schema | undefined])[] {
  const entries = Object.entries(bodies)
  return entries.length > 0 ? entries : [['', undefined]]
}
