import fc from 'fast-check'
import type { Description, Schema } from './openapi.ts'

/** Text of every kind: ASCII, all of Unicode, marks that combine. */
const characters = fc.oneof(
  { weight: 4, arbitrary: fc.constant('grapheme-ascii' as const) },
  { weight: 1, arbitrary: fc.constant('binary' as const) },
  { weight: 1, arbitrary: fc.constant('grapheme' as const) },
)

function text(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return characters.chain((unit) => fc.string({ unit, minLength, maxLength, size: 'max' }))
}

const made = new WeakMap<Schema, fc.Arbitrary<unknown>>()

/** Values that a schema takes, as its own words and `description` promise. */
export function valid(description: Description, schema: Schema): fc.Arbitrary<unknown> {
  // Making one takes longer than drawing from it.
  const known = made.get(schema) ?? ofSchema(description, schema)
  made.set(schema, known)
  return known
}

function ofSchema(description: Description, schema: Schema): fc.Arbitrary<unknown> {
  const { type, enum: choices, properties, items, maxItems = 3, ...rest } = description.resolve(schema)
  if (rest.const !== undefined) return fc.constant(rest.const)
  if (choices) return fc.constantFrom(...choices)
  const [kind, ...others] = [type ?? 'any'].flat()
  if (others.includes('null')) {
    const some = valid(description, {
      ...rest,
      ...(properties && { properties }),
      ...(items && { items }),
      maxItems,
      type: kind ?? 'any',
    })
    return fc.oneof({ weight: 9, arbitrary: some }, { weight: 1, arbitrary: fc.constant(null) })
  }
  switch (kind) {
    case 'string':
      return string(rest)
    case 'integer':
      return fc.integer({ min: rest.minimum ?? 0, max: rest.maximum ?? 2 ** 31 })
    case 'array': {
      const some = valid(description, items ?? {})
      const length = fc.oneof(
        { weight: 9, arbitrary: fc.nat({ max: Math.min(3, maxItems) }) },
        { weight: 1, arbitrary: fc.constant(maxItems) },
      )
      return length.chain((count) =>
        fc.uniqueArray(some, { minLength: count, maxLength: count, selector: folded, size: 'max' }),
      )
    }
    case 'object':
      return properties ? object(description, properties, rest.required ?? []) : freeObject
    default:
      return leaf
  }
}

const folded = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value)

function string({ pattern, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (pattern === undefined) return text(minLength, maxLength)
  if (!/\\[pP]|\(\?|\\x/.test(pattern)) return fc.stringMatching(new RegExp(pattern))
  // Long enough for what the pattern asks for, in the form in which it is exact.
  const most = Math.max(0, ...[...pattern.matchAll(/\{\d+,(\d+)\}/g)].map(([, end]) => Number(end))) + 2
  const expression = new RegExp(pattern, 'u')
  const longest = most === 2 ? maxLength : most
  const any = text(Math.min(3, longest), longest).map((value) => value.normalize('NFC'))
  const plain = fc.string({
    minLength: 4,
    maxLength: Math.min(16, longest),
    unit: fc.constantFrom(...'abcXYZ019'),
  })
  // A few again and again, for what must be unique.
  return fc.oneof(any, plain, fc.constantFrom('same', 'other')).filter((value) => expression.test(value))
}

function object(
  description: Description,
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[],
): fc.Arbitrary<unknown> {
  const model = Object.fromEntries(
    Object.entries(properties).map(([name, one]) => [name, valid(description, one)]),
  )
  return fc.record(model, { requiredKeys: [...required] })
}

const key = text(1, 8).filter((name) => !/^\$|[.\0]/.test(name))
const leaf: fc.Arbitrary<unknown> = fc.oneof(
  text(0, 12).filter((value) => !value.includes('\0')),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
)

const { free } = fc.letrec<{ value: unknown; free: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie('free'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
  free: fc.dictionary(fc.oneof(key, fc.constantFrom('__proto__', 'constructor')), tie('value'), {
    maxKeys: 4,
  }),
}))

/** Of few bytes and levels: what a document store keeps. */
const freeObject = free.filter((value) => JSON.stringify(value).length < 8000)

/** What stands where another value belongs. */
export const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    0,
    -1,
    1e308,
    '',
    ' ',
    'ab',
    'x'.repeat(21),
    'x'.repeat(201),
    '\u0000abc',
    'a\u0007bc',
    '\ud800abc',
    '\u202eabc',
    'e\u0301'.repeat(20),
    '👩‍👩‍👧‍👦'.repeat(3),
    `' or 1=1; --`,
    '#{7*7}{{7*7}}',
    '../../../etc',
    '<script>alert(1)</script>',
    '%00%0d%0a',
    [],
    {},
    [null],
    [[]],
    { $gt: '' },
    { $where: '1' },
    ['a', 'a'],
  ),
  leaf,
  freeObject,
)

/** A valid object with one to three things wrong, or at least unusual. */
export function nearly(value: unknown, schema: Schema): fc.Arbitrary<unknown> {
  const names = Object.keys(schema.properties ?? {})
  if (typeof value !== 'object' || value === null || names.length === 0) return odd
  const change = fc.oneof(
    fc.record({ do: fc.constant('put' as const), name: fc.constantFrom(...names), to: odd }),
    fc.record({ do: fc.constant('drop' as const), name: fc.constantFrom(...names), to: fc.constant(null) }),
    fc.record({
      do: fc.constant('put' as const),
      name: fc.oneof(
        fc.constantFrom('__proto__', 'constructor', 'toString', '', 'a/b~c', '$set', 'ID', 'Name'),
        text(1, 20),
      ),
      to: odd,
    }),
    fc.record({ do: fc.constant('twice' as const), name: fc.constantFrom(...names), to: fc.constant(null) }),
  )
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    // Without a prototype's setters: `__proto__` is a name like any other.
    const changed = new Map<string, unknown>(Object.entries(value))
    for (const one of changes) {
      const before = changed.get(one.name)
      if (one.do === 'put') changed.set(one.name, one.to)
      else if (one.do === 'drop') changed.delete(one.name)
      else if (Array.isArray(before)) changed.set(one.name, [...before, ...before])
      else if (typeof before === 'string') changed.set(one.name, before.repeat(30))
    }
    return Object.fromEntries(changed)
  })
}
