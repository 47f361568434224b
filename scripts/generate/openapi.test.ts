import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { courseBody } from '../../functions/courses/schemas.ts'
import { validBody } from '../../shared/http/validate.ts'
import type { Operation } from '../../shared/spec/define-function.ts'
import { type DiscoveredFunction, discoverFunctions } from '../../shared/spec/discover.ts'
import { openapi } from './openapi.ts'
import { exampleOf } from './openapi-examples.ts'

interface Media {
  readonly schema: unknown
  readonly example?: unknown
}

interface Answer {
  readonly content?: Readonly<Record<string, Media>>
  readonly headers?: Readonly<Record<string, unknown>>
}

interface OperationObject {
  readonly operationId: string
  readonly security?: readonly unknown[]
  readonly parameters?: readonly {
    readonly $ref?: string
    readonly name?: string
    readonly schema?: unknown
  }[]
  readonly requestBody?: Answer
  readonly responses: Readonly<Record<string, Answer & { readonly $ref?: string }>>
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly examples?: readonly unknown[] }>>
    readonly responses: Readonly<Record<string, Answer>>
  }
}

const root = join(import.meta.dirname, '../..')
const functions = await discoverFunctions(root)
const text = await openapi(root, functions)
const document: Document = JSON.parse(text)

const declared = functions.flatMap(({ declaration: { trigger } }) =>
  trigger.kind === 'http' ? Object.values<Operation>(trigger.operations) : [],
)
const described = declared.filter(({ success }) => success.status !== 200 || success.body)
const objectOf = ({ path, method }: Operation): OperationObject | undefined =>
  document.paths[path]?.[method.toLowerCase()]

const nothing: Pick<OperationObject, 'requestBody' | 'responses'> = { responses: {} }

const ajv = new Ajv2020({ strict: false, allErrors: true })
formats.default(ajv)
ajv.addSchema(document, 'openapi.json')

/** What is wrong with a value, by the schema at a place of the document. */
function problems(place: readonly (string | number)[], value: unknown): unknown {
  const pointer = place.map(
    (key) => `/${encodeURIComponent(String(key).replaceAll('~', '~0').replaceAll('/', '~1'))}`,
  )
  const validate = ajv.compile({ $ref: `openapi.json#${pointer.join('')}` })
  return validate(value) ? [] : validate.errors
}
const component = (name: string, value: unknown): unknown => problems(['components', 'schemas', name], value)

test('openapi.json is what the declarations make, in whatever order they are found', async () => {
  expect(await readFile(join(root, 'openapi.json'), 'utf8')).toBe(text)
  expect(await openapi(root, functions.toReversed())).toBe(text)
})

test('is valid OpenAPI 3.1', async () => {
  const validator = new Validator()
  expect(await validator.validate(text)).toMatchObject({ valid: true })
  expect(validator.version).toBe('3.1')
})

test('has every operation once, with the responses that it was declared with', () => {
  const operations = Object.values(document.paths).flatMap((item) => Object.values(item))
  expect(operations).toHaveLength(described.length)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(described.length)
  for (const operation of described) {
    const statuses = Object.keys(objectOf(operation)?.responses ?? {}).map(Number)
    expect(statuses).toEqual(
      expect.arrayContaining([operation.success.status, ...(operation.failures ?? [])]),
    )
    // A key in a query is refused on public paths too.
    expect(statuses).toContain(401)
    // A body too large is refused even where none is wanted.
    expect(statuses).toContain(413)
    expect(objectOf(operation)?.security).toEqual(operation.public ? [] : undefined)
  }
})

describe('examples', () => {
  test.each(described.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
    '%s has them, and they are valid',
    (_, operation) => {
      const place = ['paths', operation.path, operation.method.toLowerCase()]
      const { requestBody, responses } = objectOf(operation) ?? nothing
      const { status, body } = operation.success
      const media = [
        { at: [...place, 'requestBody'], types: requestBody?.content, wanted: operation.body },
        { at: [...place, 'responses', status], types: responses[status]?.content, wanted: body },
      ]
      for (const { at, types, wanted } of media) {
        expect(types !== undefined).toBe(wanted !== undefined)
        for (const [type, { example }] of Object.entries(types ?? {})) {
          expect(example).toBeDefined()
          expect(problems([...at, 'content', type, 'schema'], example)).toEqual([])
        }
      }
      // By the schemas that they come from, too: nothing in them is dropped or refused.
      if (body) expect(v.parse(body, exampleOf(body))).toEqual(exampleOf(body))
      if (operation.body)
        expect(validBody(operation.body, exampleOf(operation.body))).toEqual(exampleOf(operation.body))
    },
  )

  test('of every component are valid, and so are those of the problems', () => {
    for (const [name, { examples = [] }] of Object.entries(document.components.schemas)) {
      for (const example of examples) expect(component(name, example)).toEqual([])
    }
    for (const { content } of Object.values(document.components.responses)) {
      const media = content?.['application/problem+json']
      if (media) expect(component('Problem', media.example)).toEqual([])
    }
  })
})

describe('a schema says what the service refuses', () => {
  const names = { name: 'Ada', first_name: 'Ada', last_name: 'Ada' }
  const course = { name: 'abc', discipline: 'abc', teacher: 'abc', description: 'abc' }
  test.each([
    ['StudentInput', names, true],
    ['StudentInput', { ...names, name: 'ab' }, false],
    // 20 characters of two UTF-16 units each.
    ['StudentInput', { ...names, name: '\u{1F393}'.repeat(20) }, true],
    ['StudentInput', { ...names, name: 'a'.repeat(21) }, false],
    ['StudentInput', { ...names, name: { $gt: '' } }, false],
    ['StudentInput', { ...names, nickname: 'Ada' }, false],
    ['StudentInput', { ...names, version: 7, id: 'ignored' }, true],
    ['StudentInput', { name: 'Ada' }, false],
    ['StudentInput', { ...names, course_ids: Array(2).fill('68b556045a1f0c9d3e7b2a41') }, false],
    ['StudentInput', { ...names, course_ids: ['no id'] }, false],
    ['StudentPatch', {}, true],
    ['StudentPatch', { name: 'ab' }, false],
    ['StudentPatch', { name: null }, false],
    ['StudentPatch', { course_ids: null }, true],
    ['StudentPatch', { nickname: 'Ada' }, false],
    ['StudentInput', { ...names, course_ids: ['68B556045A1F0C9D3E7B2A41'] }, true],
    ['StudentInput', { ...names, name: '  Ada\u00a0' }, true],
    ['StudentInput', { ...names, name: 'Ada\n' }, false],
    ['StudentInput', { ...names, name: `\u00a0${'a'.repeat(20)} ` }, true],
    ['StudentInput', { ...names, name: '  ab  ' }, false],
    ['StudentInput', { ...names, name: 'A\u0000da' }, false],
    ['StudentPatch', { name: 'A\nda' }, false],
    ['CourseInput', course, true],
    ['CourseInput', { ...course, kind: 'remote' }, false],
    ['CourseInput', { ...course, attributes: { $where: 1 } }, false],
    ['CourseInput', { ...course, attributes: { a: { b: [1, null] } } }, true],
    ['CourseInput', { ...course, attributes: [] }, false],
    ['CoursePatch', { kind: null, attributes: { room: null } }, true],
  ])('%s %j: %s', (name, value, valid) => {
    expect(component(name, value)).toEqual(valid ? [] : expect.arrayContaining([expect.anything()]))
  })

  test('a line of text is valid for both or for neither, whatever stands in it and around it', () => {
    const unit = fc.constantFrom(...' \t\n\u0000\u007f\u0085\u00a0\u2028\ufeffaZé9', '\u{1F393}')
    const { name } = courseBody.entries
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 26 }), (line) => {
        const valid = v.safeParse(name, line).success
        expect(component('CoursePatch', { name: line })).toEqual(valid ? [] : [expect.anything()])
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['students', '68b55604-5a1f-7c9d-8e7b-2a41d3c0f5b6'],
    ['courses', '68b556045a1f0c9d3e7b2a41'],
  ])('an id of %s in a path may have either case, and no other form', (service, id) => {
    const place = ['paths', `/api/${service}/{id}`, 'get', 'parameters', 0, 'schema']
    for (const one of [id, id.toUpperCase()]) expect(problems(place, one)).toEqual([])
    for (const one of [id.replace('6', 'g'), `${id}0`, '']) expect(problems(place, one)).not.toEqual([])
  })

  test('parameters are typed, and have their limits and defaults', () => {
    const { parameters = [] } = document.paths['/api/students']?.['get'] ?? {}
    const schemaOf = (wanted: string): unknown => parameters.find(({ name }) => name === wanted)?.schema
    expect(schemaOf('name')).toEqual({ type: 'string', pattern: '^\\P{Cc}*$' })
    expect(schemaOf('limit')).toEqual({ type: 'integer', minimum: 1, maximum: 200, default: 50 })
    expect(schemaOf('sort')).toMatchObject({
      type: 'string',
      default: 'created_at',
      enum: expect.arrayContaining(['-name']),
    })
    expect(document.paths['/api/students/{id}']?.['patch']?.requestBody?.content).toHaveProperty(
      'application/merge-patch+json',
    )
  })
})

test('two operations of one path and method are refused, and two schemas of one title', async () => {
  const [one] = functions.filter(({ name }) => name.full === 'students/list')
  const twice = one ? [one, { ...one, name: { ...one.name, service: 'pupils' } }] : []
  await expect(openapi(root, twice)).rejects.toThrow('GET /api/students is declared twice')
  const titled = (path: `/api/${string}`, full: string): DiscoveredFunction => ({
    name: { full, service: full, slug: full },
    dir: '',
    declaration: {
      summary: '',
      needs: [],
      trigger: {
        kind: 'http',
        operations: {
          get: {
            method: 'GET',
            path,
            summary: '',
            success: { status: 200, description: '', body: v.pipe(v.object({}), v.title('Same')) },
          },
        },
      },
    },
  })
  await expect(openapi(root, [titled('/api/a', 'a'), titled('/api/b', 'b')])).rejects.toThrow('title Same')
})
