import * as v from 'valibot'
import { UnsafeNumber } from './json.ts'
import { isObject } from './validate.ts'

export interface JsonLimits {
  /** Most bytes of UTF-8 that its JSON may take. */
  readonly bytes: number
  /** Most levels of objects and arrays, the outermost being the first. */
  readonly depth: number
}

/**
 * A free JSON object that any document store can keep: no key that is empty, begins with `$`, or has `.` or NUL; no NUL
 * or half of a surrogate pair in a string; no number that a double does not give back as it was sent.
 */
export function freeObject({ bytes, depth }: JsonLimits) {
  return v.pipe(
    v.custom<Readonly<Record<string, unknown>>>(isObject, 'must be an object'),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      const report = (keys: readonly string[], message: string): void => {
        const path = keys.map((key) => ({
          type: 'unknown' as const,
          origin: 'value' as const,
          input: null,
          key,
          value: null,
        }))
        const [first, ...rest] = path
        addIssue(first ? { message, path: [first, ...rest] } : { message })
      }
      let deepest = 0
      walk(
        dataset.value,
        [],
        (keys, message) => report(keys, message),
        depth,
        (level) => {
          deepest = Math.max(deepest, level)
        },
      )
      if (deepest > depth) report([], `must have at most ${depth} levels`)
      else if (Buffer.byteLength(JSON.stringify(dataset.value)) > bytes) {
        report([], `must take at most ${bytes / 1024} KB as JSON`)
      }
    }),
    v.metadata({
      description:
        `Any JSON object of at most ${bytes / 1024} KB and ${depth} levels. At every level, no key may be empty, begin with $ ` +
        'or have a dot or NUL; no string may have NUL; numbers must be ones that a double gives back as they were sent (-0 as 0).',
      type: 'object',
      propertyNames: { pattern: '^(?!\\$)[^.\\u0000]+$' },
      additionalProperties: true,
    }),
  )
}

type Report = (keys: readonly string[], message: string) => void

function walk(
  value: unknown,
  keys: readonly string[],
  report: Report,
  most: number,
  level: (n: number) => void,
  at = 1,
): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) report(keys, 'must not contain NUL')
    if (!value.isWellFormed()) report(keys, 'must be well-formed Unicode')
  } else if (value instanceof UnsafeNumber)
    report(keys, 'is a number that a double does not give back as it was sent')
  else if (typeof value === 'object' && value !== null) {
    level(at)
    if (at > most) return
    for (const [key, inner] of Object.entries(value)) {
      const inside = [...keys, key]
      if (!Array.isArray(value)) {
        const wrong = keyProblem(key)
        if (wrong) report(inside, wrong)
      }
      walk(inner, inside, report, most, level, at + 1)
    }
  }
}

function keyProblem(key: string): string | undefined {
  if (key === '') return 'is an empty key'
  if (key.startsWith('$')) return 'is a key that begins with $'
  if (key.includes('.') || key.includes('\0')) return 'is a key with . or NUL'
  if (!key.isWellFormed()) return 'is a key that is not well-formed Unicode'
  return undefined
}
