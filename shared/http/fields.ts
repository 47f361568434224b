import * as v from 'valibot'
import type { FieldsSchema } from '../spec/define-function.ts'
import { mergePatch } from './merge-patch.ts'

export { freeObject } from './free-object.ts'

const control = /\p{Cc}/u

/** What is trimmed and no control character, in a pattern. */
const space = '[^\\S\\p{Cc}]'

/**
 * A line of text, trimmed and in Unicode's NFC, whose length is counted in code points. Control characters, even those
 * at its ends that are white space, and halves of surrogate pairs are refused.
 */
export function text({ min, max }: { readonly min: number; readonly max: number }) {
  return v.pipe(
    v.string(mustBeString),
    v.check((value) => value.isWellFormed(), 'must be well-formed Unicode'),
    v.check((value) => !control.test(value), 'must not contain control characters'),
    v.transform((value) => value.trim().normalize('NFC')),
    v.check((value) => {
      const length = codePoints(value)
      return min <= length && length <= max
    }, `must have ${min} to ${max} characters`),
    v.metadata({
      description:
        `A line of ${min} to ${max} code points, counted after trimming and NFC; well-formed, without control characters. ` +
        'The pattern is exact for well-formed text in NFC.',
      pattern: `^${space}*[^\\s\\p{Cc}][^\\p{Cc}]{${min - 2},${max - 2}}[^\\s\\p{Cc}]${space}*$`,
    }),
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
      v.pipe(
        v.string(`must be ${what}`),
        v.transform(lower),
        v.regex(id, `must be ${what}`),
        v.metadata({ pattern: inEitherCase(id) }),
      ),
      'must be a list',
    ),
    // Beside whatever else is wrong with an entry: all of it is told at once.
    v.rawCheck(({ dataset, addIssue }) => {
      const value: unknown = dataset.value
      if (!Array.isArray(value)) return
      if (value.length > max) addIssue({ message: `must have at most ${max} entries` })
      value.forEach((one: unknown, key) => {
        if (typeof one !== 'string' || value.indexOf(one) === key) return
        addIssue({
          message: 'must not be a duplicate',
          path: [{ type: 'array', origin: 'value', input: value, key, value: one }],
        })
      })
    }),
    v.metadata({
      description: `At most ${max} ids, each once, whatever its case.`,
      uniqueItems: true,
      maxItems: max,
    }),
  )
}

const lower = (value: string): string => value.toLowerCase()

/** An id in a path, in lower case whatever the case it came in. */
export function pathId(id: RegExp) {
  return v.pipe(v.string(), v.transform(lower), v.regex(id), v.metadata({ pattern: inEitherCase(id) }))
}

/** The pattern of ids that are made lower case before they are looked at: JSON Schema has no flag that says so. */
const inEitherCase = (id: RegExp): string => id.source.replaceAll('a-f', 'a-fA-F')

/** A filter's value, compared with what is stored: trimmed and normalised as that was. */
export function filter() {
  return v.optional(
    v.pipe(
      v.string(),
      v.check((value) => !control.test(value), 'must not contain control characters'),
      v.transform((value) => value.trim().normalize('NFC')),
      v.metadata({
        description: 'Only those that have exactly this value, trimmed and in NFC.',
        pattern: '^\\P{Cc}*$',
      }),
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
        v.metadata({
          description: `Most entries of the page: 1 to ${pageLimit.most}.`,
          type: 'integer',
          minimum: 1,
          maximum: pageLimit.most,
          default: pageLimit.usual,
        }),
      ),
      String(pageLimit.usual),
    ),
    cursor: v.optional(
      v.pipe(
        v.string(),
        v.metadata({ description: 'The `next_cursor` of the page before, for the same sort and filters.' }),
      ),
    ),
    sort: v.optional(
      v.pipe(
        v.picklist(
          sorts.flatMap((field) => [field, `-${field}`]),
          `must be one of ${sorts.join(', ')}, each maybe with a - before it`,
        ),
        v.metadata({
          description: 'Code point order of this field, descending with a - before it; then by id.',
        }),
      ),
      'created_at',
    ),
    ...filters,
  })
}

const pageLimit = { usual: 50, most: 200 } as const

const wholeNumber = `must be a whole number from 1 to ${pageLimit.most}`

/**
 * A merge patch (RFC 7396) of a body. What is wrong with a field whatever it is merged with is told here, with all the
 * rest that is; whether what it comes to is valid, once it is merged.
 */
export function patchOf(body: FieldsSchema) {
  const entries = Object.fromEntries(
    Object.entries(body.entries).flatMap(([key, entry]) =>
      isSchema(entry) ? [[key, v.optional(patchOfField(entry))]] : [],
    ),
  )
  return v.pipe(
    v.object(entries),
    v.metadata({
      description: 'What it does not name stays as it is; null resets what has a default.',
      patchOf: body,
    }),
  )
}

function patchOfField(field: v.GenericSchema) {
  return v.pipe(
    v.unknown(),
    v.rawCheck(({ dataset, addIssue }) => {
      // Null takes the field away, which only those withstand that are optional.
      const alone = dataset.value === null ? undefined : mergePatch(undefined, dataset.value)
      for (const { message, path } of v.safeParse(field, alone).issues ?? []) {
        addIssue(path ? { message, path } : { message })
      }
    }),
  )
}

const isSchema = (entry: unknown): entry is v.GenericSchema =>
  typeof entry === 'object' && entry !== null && 'kind' in entry && entry.kind === 'schema'
