import fc from 'fast-check'
import type { Description, Operation } from '../openapi.ts'
import type { Drawn } from './drawn.ts'
import { mapped, methods } from './methods.ts'
import { oddBody } from './odd-bodies.ts'
import { oddTarget } from './odd-targets.ts'
import { strangeHeader } from './strange-headers.ts'
import { validRequest } from './valid.ts'

/** A valid one with something in it that means harm. */
export function hostile(description: Description, operation: Operation): fc.Arbitrary<Drawn> {
  const nowhere = fc.stringMatching(/^[\x21-\x7e]{1,40}$/).map((text) => text.replaceAll(/[#\s]/g, ''))
  return validRequest(description, operation).chain((base) => {
    const types = Object.keys(operation.bodies)
    const change: fc.Arbitrary<Partial<Drawn>> = fc.oneof(
      fc
        .array(strangeHeader, { minLength: 1, maxLength: 4 })
        .map((headers) => ({ headers: [...base.headers, ...headers] })),
      oddTarget.map((target) => ({ target })),
      nowhere.map((id) => ({
        params: mapped(base.params, () => id),
        target: `${operation.path.replaceAll(/\{\w+\}/g, id)}`,
      })),
      fc
        .record({ bytes: oddBody, type: fc.constantFrom('application/json', ...types) })
        .map((body) => ({ body })),
      fc.nat(99).map((which) => ({ which, target: 'next' })),
    )
    return fc
      .tuple(change, fc.option(fc.constantFrom(...methods), { nil: undefined, freq: 4 }))
      .map(([one, method]) => ({ ...base, family: 'hostile' as const, ...one, ...(method && { method }) }))
  })
}
