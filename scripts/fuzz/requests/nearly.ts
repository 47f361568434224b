import fc from 'fast-check'
import type { Description, Operation } from '../openapi.ts'
import { nearly, odd } from '../values.ts'
import type { Drawn } from './drawn.ts'
import { mapped, methods } from './methods.ts'
import { validRequest } from './valid.ts'

const types = [
  'application/json; charset=utf-8',
  'Application/JSON',
  'application/merge-patch+json',
  'application/json; charset=utf-16',
  'text/plain',
  'multipart/form-data; boundary=x',
  '',
  ';;;',
  'application/json, application/json',
] as const

const oddText = odd.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))

/** A valid one with one thing wrong. */
export function nearlyValid(description: Description, operation: Operation): fc.Arbitrary<Drawn> {
  return validRequest(description, operation).chain((base) => {
    const { body } = base
    const names = operation.parameters.filter((one) => one.in === 'query').map((one) => one.name)
    const inQuery = fc.record({
      name: fc.oneof(fc.constantFrom('nonsense', 'limit', 'cursor', 'Limit', ...names), oddText),
      value: fc.oneof(fc.constantFrom('0', '201', '-1', '1e3', '', '10', 'id', '-name'), oddText),
    })
    const changes: fc.Arbitrary<Partial<Drawn>>[] = [
      inQuery.map(({ name, value }) => ({ query: [...base.query, [name, value] as const] })),
      oddText.map((id) => ({ params: mapped(base.params, () => id), which: undefined })),
      fc
        .constantFrom('missing' as const, 'wrong' as const, 'in the query' as const, 'in the body' as const)
        .map((key) => ({ key })),
      fc.constantFrom(...methods).map((method) => ({ method })),
    ]
    if (body && 'value' in body) {
      const schema = description.resolve(operation.bodies[body.type] ?? {})
      const other = nearly(body.value, schema).map((value) => ({ body: { type: body.type, value } }))
      changes.push(other, other, other)
      const type = fc.constantFrom(...types).map((type) => ({ body: { type, value: body.value } }))
      changes.push(type)
    }
    return fc.oneof(...changes).map((change) => ({ ...base, family: 'nearly' as const, ...change }))
  })
}
