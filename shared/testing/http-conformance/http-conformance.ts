import { afterAll, beforeAll, describe } from 'vitest'
import { attributes } from './attributes.ts'
import { caching } from './caching.ts'
import { conditional } from './conditional.ts'
import { fields } from './fields.ts'
import { idempotency } from './idempotency.ts'
import { lists } from './lists.ts'
import { methods } from './methods.ts'
import { names } from './names.ts'
import { paging } from './paging.ts'
import { patches } from './patch.ts'
import { requests } from './requests.ts'
import type { Target } from './target.ts'

/** The HTTP contract of docs/design.md, sentence by sentence, for whatever serves it. */
export function httpConformance(name: string, open: () => Promise<Target>): void {
  describe(`HTTP contract: ${name}`, () => {
    let target: Target | undefined
    const opened = (): Target => {
      if (!target) throw new Error('the target is not open')
      return target
    }
    beforeAll(async () => {
      target = await open()
    })
    afterAll(() => target?.[Symbol.asyncDispose]())

    for (const topic of [
      requests,
      methods,
      fields,
      patches,
      attributes,
      lists,
      paging,
      conditional,
      names,
      idempotency,
      caching,
    ]) {
      topic(opened)
    }
  })
}
