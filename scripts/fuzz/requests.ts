import fc from 'fast-check'
import type { Description, Operation, Parameter, Schema } from './openapi.ts'
import { bytesOf, type Shot } from './shot.ts'
import { nearly, odd, valid } from './values.ts'

/** One request as it was drawn: what it is about is only known when it is sent. */
export interface Drawn {
  readonly family: Shot['family']
  readonly operation: Operation
  readonly method: string
  /** Instead of the operation's own path and query. */
  readonly target?: string
  /** Path parameters; most of them give way to what is known. */
  readonly params: Readonly<Record<string, string>>
  /** Which of the known things it is about; undefined for none. */
  readonly which: number | undefined
  readonly query: readonly (readonly [name: string, value: string])[]
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?:
    | { readonly type: string; readonly value: unknown }
    | { readonly type: string; readonly bytes: string }
  readonly key: 'right' | 'missing' | 'wrong' | 'in the query' | 'in the body'
  readonly chunked: boolean
}

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

function validRequest(description: Description, operation: Operation): fc.Arbitrary<Drawn> {
  const { method, bodies, parameters } = operation
  const of = (where: Parameter['in']) => parameters.filter((one) => one.in === where && one.name !== 'cursor')
  const body = fc
    .constantFrom(...entriesOr(bodies))
    .chain(([type, schema]) =>
      schema ? valid(description, schema).map((value) => ({ type, value })) : fc.constant(undefined),
    )
  return fc
    .record({
      params: record(description, of('path')),
      query: record(description, of('query')),
      headers: record(description, of('header')),
      body,
      method: method === 'GET' ? fc.constantFrom('GET', 'GET', 'GET', 'HEAD') : fc.constant(method),
      which: fc.option(fc.nat(99), { nil: undefined, freq: 8 }),
      chunked: fc.boolean(),
    })
    .map(({ params, query, headers, body, ...rest }) => ({
      ...rest,
      family: 'valid' as const,
      operation,
      params,
      query: some(query),
      headers: some(headers).filter(([, value]) => /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)),
      ...(body && { body }),
      key: 'right' as const,
    }))
}

/** The text of each parameter, some left out. */
function record(
  description: Description,
  parameters: readonly Parameter[],
): fc.Arbitrary<Record<string, string>> {
  const model = Object.fromEntries(
    parameters.map(({ name, schema }) => [name, valid(description, schema).map(String)]),
  )
  const needed = parameters.filter((one) => one.in === 'path').map((one) => one.name)
  return fc.record(model, { requiredKeys: needed }) as fc.Arbitrary<Record<string, string>>
}

const some = (texts: Readonly<Record<string, string | undefined>>): [string, string][] =>
  Object.entries(texts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))

function entriesOr(bodies: Operation['bodies']): (readonly [type: string, schema: Schema | undefined])[] {
  const entries = Object.entries(bodies)
  return entries.length > 0 ? entries : [['', undefined]]
}

const oddText = odd.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))

function nearlyValid(description: Description, operation: Operation): fc.Arbitrary<Drawn> {
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

const mapped = (texts: Readonly<Record<string, string>>, to: () => string): Record<string, string> =>
  Object.fromEntries(Object.keys(texts).map((name) => [name, to()]))

const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
] as const
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

/** A value of a header that a client may send: no control characters. */
const headerText = fc
  .string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 60,
  })
  .map((value) => value.replaceAll(/[\x7f\x80-\x9f]/g, '').trim())

const strangeHeader: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.constantFrom<readonly [string, string]>(
    ['content-encoding', 'gzip'],
    ['content-encoding', 'identity, br'],
    ['expect', '100-continue'],
    ['expect', 'rain'],
    ['connection', 'close, x-api-key, content-type, traceparent'],
    ['connection', 'Upgrade'],
    ['upgrade', 'h2c'],
    ['te', 'trailers'],
    ['trailer', 'content-length'],
    ['range', 'bytes=0-0, -1'],
    ['accept', 'text/xml'],
    ['accept-encoding', 'gzip;q=nan'],
    ['x-consumer-username', 'somebody else'],
    ['x-forwarded-host', 'evil.example'],
    ['x-http-method-override', 'DELETE'],
    ['traceparent', '00-00000000000000000000000000000000-0000000000000000-00'],
    ['traceparent', `ff-${'a'.repeat(600)}`],
    ['tracestate', ','.repeat(600)],
    ['baggage', 'a='.repeat(400)],
    ['if-match', '"'.repeat(99)],
    ['if-none-match', 'W/"v1", *, "'],
    ['idempotency-key', '"a\\"b"'],
    ['idempotency-key', '"'],
    ['idempotency-key', 'k'.repeat(256)],
    ['content-type', 'application/json'],
    ['cookie', 'a='.repeat(2000)],
    ['host', 'evil.example:1'],
    ['x-api-key', 'another'],
    ['constructor', '1'],
    ['__proto__', '1'],
  ),
  fc.tuple(fc.stringMatching(/^[a-z!#$%&'*+.^_`|~-][a-z-]{0,12}$/), headerText),
  fc.tuple(
    fc.constantFrom('if-match', 'if-none-match', 'idempotency-key', 'accept', 'traceparent', 'content-type'),
    headerText,
  ),
)

const oddTarget = fc.oneof(
  fc.constantFrom(
    ...[
      '/',
      '//',
      '/api',
      '/api/',
      '/api/students/',
      '//api//students',
      '/API/students',
      '/api/students;a=b',
      '/api/./students',
    ],
    ...[
      '/api/students/../courses',
      '/api/students/%2e%2e/courses',
      '/api/students/%2F',
      '/api/students/%00',
      '/api/courses/%ff',
    ],
    ...[
      '/api/students?',
      '/api/students??',
      '/api/students?&&&',
      '/api/students?=',
      '/api/students?%',
      '/api/students?limit',
      '/api/students?__proto__=1',
    ],
    ...[
      '/api/students#a',
      '/api/students?limit=1&limit=2',
      '/api/students?sort=-&sort',
      '/api/courses?kind=%00',
      '/api/courses?name[$ne]=1',
    ],
    ...[
      '/favicon.ico',
      '/.git/config',
      '/api/%73tudents',
      '/api/students/health/',
      '/api/students/a/b/c/d',
      '*',
    ],
  ),
  fc.webPath({ size: 'medium' }).map((path) => `/api${path || '/'}`),
  fc
    .tuple(fc.constantFrom('/api/students', '/api/courses'), fc.webQueryParameters())
    .map(([path, query]) => `${path}?${query}`),
)

function hostile(description: Description, operation: Operation): fc.Arbitrary<Drawn> {
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

const deep = (open: string, close: string, levels: number): string =>
  open.repeat(levels) + close.repeat(levels)

/** JSON that is none, or more than its readers like. */
const oddBody = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      ' ',
      'null',
      '[]',
      '"a"',
      '1',
      'NaN',
      '{',
      '{"a":1,}',
      "{'a':1}",
      '{}{}',
      '\ufeff{}',
      '{"a":01}',
      '{"name":"\n"}',
    ].map(bytesOf),
    ...[
      '{"__proto__":{"x":1}}',
      '{"constructor":{"prototype":{"x":1}}}',
      '{"name":1,"name":2,"name":3}',
      '{"\\u0000":1}',
    ],
    ...[
      '{"name":1e999}',
      '{"attributes":{"n":123456789012345678901234567890}}',
      '{"attributes":{"n":-0.0e-999}}',
      '{"name":"\\ud800"}',
    ],
    ...['\xff\xfe', '{"name":"\xc0\x80"}', '{"name":"\xed\xa0\x80abc"}', '\x00\x00\x00'],
    deep('[', ']', 20_000),
    deep('{"a":', '}', 9000).replace('}', '1}'),
    `{"attributes":${deep('{"a":', '}', 60).replace('}', '1}')}}`,
    `{"name":"${'a'.repeat(70_000)}"}`,
    `{"name":"${'a'.repeat(60_000)}"}`,
    `{"attributes":{${Array.from({ length: 3000 }, (_, i) => `"k${i}":${i}`).join()}}}`,
    `{"student_ids":[${Array.from({ length: 3000 }, () => '0').join()}]}`,
    `{"${'$'.repeat(500)}":1}`,
  ),
  fc.json().map(bytesOf),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
)
