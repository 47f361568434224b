import fc from 'fast-check'
import type { Description } from './openapi.ts'
import type { Drawn } from './requests/drawn.ts'
import { hostile } from './requests/hostile.ts'
import { nearlyValid } from './requests/nearly.ts'
import { validRequest } from './requests/valid.ts'

/** Requests made from the description: valid ones, ones with a few things wrong, and ones that mean harm. */
export function requests(description: Description): fc.Arbitrary<Drawn> {
  const of = (make: typeof hostile): fc.Arbitrary<Drawn> =>
    fc.oneof(...description.operations.map((one) => make(description, one)))
  return fc.oneof(
    { weight: 4, arbitrary: of(validRequest) },
    { weight: 4, arbitrary: of(nearlyValid) },
    { weight: 3, arbitrary: of(hostile) },
  )
}
