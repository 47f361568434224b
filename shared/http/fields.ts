import * as v from 'valibot'
import type { FieldsSchema } from '../spec/define-function.ts'
import { UnsafeNumber } from './json.ts'
import { isObject } from './validate.ts'

const control = /\p{Cc}/u

/**
 * A line of text, trimmed and in Unicode's NFC, whose length is counted in code points. Control characters and halves
 * of surrogate pairs are refused.
 */
export function text({ min, max }: { readonly min: number; readonly max: number }) {
  return v.pipe(
    v.string(mustBeString),
    v.check((value) => value.isWellFormed(), 'must be well-formed Unicode'),
    v.transform((value) => value.trim().normalize('NFC')),
    v.check((value) => !control.test(value), 'must not contain control characters'),
    v.check((value) => {
      const length = codePoints(value)
      return min <= length && length <= max
    }, `must have ${min} to ${max} characters`),
    v.metadata({ minLength: min, maxLength: max }),
  )
}

function mustBeString(issue: v.StringIssue): string {
  return issue.input === undefined ? 'is required' : 'must be a string'
}

function codePoints(value: string): number {
  let count = 0
  for (const _ of value) count++
  return count
}

/** Ids of the other side, in lower case, each at most once. */
export function idList(id: RegExp, what: string, max: number) {
  return v.pipe(
    v.array(
      v.pipe(v.string(`must be ${what}`), v.transform(lower), v.regex(id, `must be ${what}`)),
      'must be a list',
    ),
    v.maxLength(max, `must have at most ${max} entries`),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      const { value } = dataset
      value.forEach((one, key) => {
        if (value.indexOf(one) === key) return
        addIssue({ message: 'must not be a duplicate', path: [{ type: 'array', origin: 'value', input: value, key, value: one }] })
      })
    }),
    v.metadata({ pattern: id.source, uniqueItems: true, maxItems: max }),
  )
}

const lower = (value: string): string => value.toLowerCase()

export interface JsonLimits {
  /** Most bytes of UTF-8 that its JSON may take. */
  readonly bytes: number
  /** Most levels of objects and arrays, the outermost being the first. */
  readonly depth: number
}

/**
 * A free JSON object that any document store can keep: no key that is empty, begins with `$`, or has `.` or NUL; no NUL
 * or half of a surrogate pair in a string; no number that a double cannot hold.
 */
export function freeObject({ bytes, depth }: JsonLimits) {
  return v.pipe(
    v.custom<Readonly<Record<string, unknown>>>(isObject, 'must be an object'),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      const report = (keys: readonly string[], message: string): void => {
        const path = keys.map((key) => ({ type: 'unknown' as const, origin: 'value' as const, input: null, key, value: null }))
        const [first, ...rest] = path
        addIssue(first ? { message, path: [first, ...rest] } : { message })
      }
      let deepest = 0
      walk(dataset.value, [], (keys, message) => report(keys, message), depth, (level) => {
        deepest = Math.max(deepest, level)
      })
      if (deepest > depth) report([], `must have at most ${depth} levels`)
      else if (Buffer.byteLength(JSON.stringify(dataset.value)) > bytes) {
        report([], `must take at most ${bytes / 1024} KB as JSON`)
      }
    }),
  )
}

type Report = (keys: readonly string[], message: string) => void

function walk(value: unknown, keys: readonly string[], report: Report, most: number, level: (n: number) => void, at = 1): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) report(keys, 'must not contain NUL')
    if (!value.isWellFormed()) report(keys, 'must be well-formed Unicode')
  } else if (value instanceof UnsafeNumber) report(keys, 'is a number that a double cannot hold')
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

/** An id in a path, in lower case whatever the case it came in. */
export function pathId(id: RegExp) {
  return v.pipe(v.string(), v.transform(lower), v.regex(id), v.metadata({ pattern: id.source }))
}

/** A filter's value, compared with what is stored: trimmed and normalised as that was. */
export function filter() {
  return v.optional(
    v.pipe(
      v.string(),
      v.check((value) => !control.test(value), 'must not contain control characters'),
      v.transform((value) => value.trim().normalize('NFC')),
    ),
  )
}

/** The parameters of a list: `limit`, `cursor`, `sort` and a filter for each field. */
export function listQuery<const E extends v.ObjectEntries>(sorts: readonly string[], filters: E) {
  return v.object({
    limit: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^\d{1,4}$/, wholeNumber),
        v.transform(Number),
        v.check((value) => 1 <= value && value <= pageLimit.most, wholeNumber),
        v.metadata({ minimum: 1, maximum: pageLimit.most, default: pageLimit.usual }),
      ),
      String(pageLimit.usual),
    ),
    cursor: v.optional(v.string()),
    sort: v.optional(
      v.picklist(
        sorts.flatMap((field) => [field, `-${field}`]),
        `must be one of ${sorts.join(', ')}, each maybe with a - before it`,
      ),
      'created_at',
    ),
    ...filters,
  })
}

const pageLimit = { usual: 50, most: 200 } as const

const wholeNumber = `must be a whole number from 1 to ${pageLimit.most}`

/** A merge patch (RFC 7396) of a body: only the names are checked here, the values once they are merged. */
export function patchOf(body: FieldsSchema) {
  const entries = Object.fromEntries(Object.keys(body.entries).map((key) => [key, v.optional(v.unknown())]))
  return v.pipe(v.object(entries), v.metadata({ patchOf: body }))
}
