import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { World } from './world.ts'

/** Keys as the contract of the API allows them: not empty, no dot or NUL, no leading `$`. */
const key = fc.oneof(
  fc
    .string({ minLength: 1, maxLength: 12, unit: 'binary' })
    .filter((text) => text.isWellFormed() && !/[.\0]|^\$/.test(text)),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '_id',
    '_bsontype',
    'toBSON',
    'toJSON',
    '10',
    '9',
  ),
)

const text = fc
  .string({ unit: 'binary', maxLength: 20 })
  .filter((one) => one.isWellFormed() && !one.includes('\0'))

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    -0,
    1,
    5e-324,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    2 ** 53,
    2 ** 53 + 2,
    1e21,
    1.7976931348623157e308,
    0.1,
  ),
)

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: 'small' },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map(objectOf),
}))

const free = fc.array(fc.tuple(key, value), { maxLength: 5 }).map(objectOf)

/** Own properties whatever they are called, as `JSON.parse` makes them. */
function objectOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [name, one] of entries) {
    Object.defineProperty(object, name, { value: one, enumerable: true, writable: true, configurable: true })
  }
  return object
}

export function exactnessTests<F extends object>(world: World<F>): void {
  const field = world.subject.free ?? ''
  const read = async (id: string): Promise<unknown> =>
    Object.entries((await world.second.repository.get(id))?.fields ?? {}).find(
      ([name]) => name === field,
    )?.[1]

  const expectSame = (got: unknown, sent: unknown): void => {
    // In the order of all keys; and as values, where -0 is not 0 (vitest's own comparison trips over `constructor`).
    expect(JSON.stringify(got)).toBe(JSON.stringify(sent))
    expect(isDeepStrictEqual(got, sent)).toBe(true)
  }

  it('come back exactly as they were inserted', async () => {
    await fc.assert(
      fc.asyncProperty(free, async (sent) => {
        const id = await world.create(world.subject.fields({ [field]: sent }))
        expectSame(await read(id), sent)
      }),
      { numRuns: 60 },
    )
  })

  it('come back exactly as they were changed to', async () => {
    const id = await world.create()
    await fc.assert(
      fc.asyncProperty(free, async (sent) => {
        await world.repository.change(id, world.editing(world.subject.fields({ [field]: sent })))
        expectSame(await read(id), sent)
      }),
      { numRuns: 60 },
    )
  })

  it('may have arrays within arrays, depth and keys that mean something to JavaScript or to a driver', async () => {
    const sent =
      JSON.parse(`{"z":[[1,[2,[]]],{"a":[[{}]]}],"__proto__":{"polluted":true},"constructor":{"prototype":1},
      "_bsontype":"ObjectId","toBSON":1,"2":-0,"1":{"$":null,"é":"😀"},"big":9007199254740992,"tiny":5e-324,"e":1e300}`)
    const id = await world.create(world.subject.fields({ [field]: sent }))
    expectSame(await read(id), sent)
    expect({}).not.toHaveProperty('polluted')
  })
}
