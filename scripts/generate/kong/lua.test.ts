import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bodyLimit } from '../../../shared/http/message.ts'
import { problem, statusOf } from '../../../shared/http/problem.ts'
import { takeMembers } from '../../local/body-key.ts'
import { readBase } from './base.ts'
import { scripts } from './lua.ts'
import { type Exchange, exchangeAll, hasLua, requestId } from './testing/lua.ts'

if (!hasLua) console.warn('SKIPPED: no luajit here (Debian: luajit), so kong/lua is not run')

const root = join(import.meta.dirname, '../../..')
const key = 'a-key-of-the-tests'
const base = await readBase(root)
const lua = await scripts(root)
const keyNames = base.keyAuth.config['key_names'] as string[]
const phases = {
  before: lua.before['access'] ?? [],
  after: lua.after['access'] ?? [],
  head: lua.before['header_filter'] ?? [],
  body: lua.before['body_filter'] ?? [],
}
const fine = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"data":[]}' }
const trace = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${trace}-b7ad6b7169203331-01`

const all = (exchanges: readonly Partial<Exchange>[]) =>
  exchangeAll(
    phases,
    keyNames,
    exchanges.map((one) => {
      const path = one.path ?? '/api/students'
      const usual = { method: 'GET', rawPath: path, query: '', headers: {}, keys: [key], upstream: fine }
      return { ...usual, ...one, path }
    }),
  )

function exchange(one: Partial<Exchange>) {
  const [exchanged] = all([one])
  if (!exchanged) throw new Error('no answer')
  return exchanged
}

const authorized = (headers: Record<string, string> = {}) => ({ 'x-api-key': key, ...headers })
const json = (body: string, headers: Record<string, string> = {}): Partial<Exchange> => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json', 'content-length': String(body.length), ...headers },
})
const problemIn = ({ status, headers, body }: ReturnType<typeof exchange>): unknown => {
  const parsed = JSON.parse(body)
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'content-length': String(body.length),
  })
  expect(parsed.status).toBe(status)
  return [status, parsed.code]
}

test('the scripts know what base.yml and the contract say', () => {
  const admit = lua.before['access']?.[1] ?? ''
  for (const name of keyNames) expect(admit).toContain(`["${name}"] = true`)
  expect(admit).toContain(`local limit = ${bodyLimit}`)
})

describe.skipIf(!hasLua)('kong/lua', () => {
  test('lets a request with a key through, without the key and with everything else', () => {
    const { status, body, upstream } = exchange({
      query: 'b=%zz&a=1&a=2&',
      headers: authorized({ apikey: 'another', traceparent, tracestate: 'a=1', accept: '*/*' }),
    })
    expect([status, body]).toEqual([200, fine.body])
    expect(upstream).toEqual({
      query: 'b=%zz&a=1&a=2&',
      headers: { traceparent, tracestate: 'a=1', accept: '*/*' },
    })
  })

  test.each([{}, { 'x-api-key': 'wrong' }, { apikey: '' }])('refuses %j with 401', (headers) => {
    const refused = exchange({ headers })
    expect(problemIn(refused)).toEqual([401, 'unauthorized'])
    expect(refused.headers['www-authenticate']).toBe('Key realm="registrar"')
    expect(refused.upstream).toBeUndefined()
  })

  test.each(['apikey=k', 'x-api-key=k', 'a=1&APIKEY=k', '%61pikey=k', 'apikey'])(
    'refuses a key in ?%s',
    (query) => {
      const refused = exchange({ query, headers: authorized() })
      expect(problemIn(refused)).toEqual([401, 'unauthorized'])
      expect(JSON.parse(refused.body).detail).toContain('not in the query')
    },
  )

  test('takes the key out of a JSON body, and no other byte', () => {
    const merge = { 'content-type': 'application/merge-patch+json; charset=utf-8' }
    const [one, two, both, chunked] = all([
      json(`{"n":12345678901234567890, "apikey":"${key}"}`),
      json(`{"x-api-key":"${key}","b":[]}`, merge),
      json('{"apikey":"other","a":1}', authorized()),
      {
        ...json(`{"apikey":"${key}"}`),
        headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      },
    ])
    expect(one?.upstream?.body).toBe('{"n":12345678901234567890}')
    expect(two?.upstream?.body).toBe('{"b":[]}')
    expect(both?.upstream?.body).toBe('{"a":1}')
    expect(chunked?.upstream?.body).toBe('{}')
    expect(JSON.stringify([one, two, both, chunked])).not.toContain(key)
  })

  test.each([
    [json('{"apikey":"wrong"}')],
    [json(`{"nested":{"apikey":"${key}"}}`)],
    [json(`["apikey","${key}"]`)],
    [json(`{"apikey":"${key}"}`, { 'content-type': 'text/plain' })],
    [json(`{"apikey":"${key}"`)],
  ])('finds no key in %j', (sent) => {
    expect(problemIn(exchange(sent))).toEqual([401, 'unauthorized'])
  })

  test('does with any body what the local gateway does', () => {
    const member = fc.oneof(fc.constantFrom(...keyNames), fc.string({ maxLength: 6 }))
    const value = fc.dictionary(member, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 })
    const layout = fc.constantFrom(undefined, ' ', '\t', '\n  ')
    const texts = fc.sample(
      fc.tuple(value, layout).map(([object, space]) => JSON.stringify(object, undefined, space)),
      { numRuns: 400, seed: 7 },
    )
    const odd = [
      ...['{"a":1, "apikey" : "k" , "b":2}', ' {\n"apikey":"k"\n}\n', '{"api\\u006bey":"k","b":2}'],
      ...[
        '{"apikey":"one","apikey":"two","b":2}',
        '{"apikey":{"a":["}",","]},"b":"\\"}"}',
        '{}',
        '[]',
        '"apikey"',
      ],
      ...[
        '{"b":"\\\\","apikey":"k"}',
        '{"big":1e400,"apikey":7}',
        '\xef\xbb\xbf{"apikey":"k"}',
        '{"a":"\xc3("}',
      ],
    ]
    const bodies = [...odd, ...texts].map((text) => Buffer.from(text).toString('latin1'))
    const exchanged = all(bodies.map((body) => json(body, authorized())))
    for (const [i, body] of bodies.entries()) {
      const expected = takeMembers(Buffer.from(body, 'latin1'), keyNames).body.toString('latin1')
      expect(exchanged[i]?.upstream?.body, body).toBe(expected)
    }
  })

  test('knows a path by the name alone that it has', () => {
    const id = '01a20c7b-b3ab-723b-9f2c-934f944833dd'
    const asked = (rawPath: string, path: string): Partial<Exchange> => ({
      rawPath,
      path,
      headers: authorized(),
    })
    for (const refused of all([
      asked(`/api/students//${id}`, `/api/students/${id}`),
      asked(`//api/students/${id}`, `/api/students/${id}`),
      asked(`/api//students/${id}`, `/api/students/${id}`),
      asked('/api/%73tudents', '/api/students'),
      asked('/api/docs/../students', '/api/students'),
      asked(`/api/students/./${id}`, `/api/students/${id}`),
      asked(`/api/students/${id}/%63ourses`, `/api/students/${id}/courses`),
    ]))
      expect(problemIn(refused)).toEqual([404, 'not_found'])
    for (const { status } of all([
      asked(`/api/students/${id.replace('-', '%2D')}`, `/api/students/${id}`),
      asked('/api/students/%24gt', '/api/students/$gt'),
      asked(`/api/students/%30/courses`, '/api/students/0/courses'),
      asked('/api/docs/swagger-ui.css', '/api/docs/swagger-ui.css'),
    ]))
      expect(status).toBe(200)
  })

  test('gives a request without a valid trace one of Kong’s own', () => {
    const id = `00-${requestId}-${requestId.slice(16)}-01`
    for (const sent of [
      {},
      { traceparent: 'junk', tracestate: 'a=1' },
      { traceparent: traceparent.toUpperCase() },
      { traceparent: `ff${traceparent.slice(2)}` },
      { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` },
      { traceparent: `${traceparent}x` },
    ])
      expect(exchange({ headers: authorized(sent) }).upstream?.headers).toEqual({ traceparent: id })
    expect(JSON.parse(exchange({ headers: { traceparent } }).body).trace_id).toBe(trace)
    expect(JSON.parse(exchange({ headers: {} }).body).trace_id).toBe(requestId)
  })

  test('makes of whatever refuses the problem that the contract has', () => {
    for (const [code, headers] of [
      ['malformed', {}],
      ['not_found', {}],
      ['payload_too_large', {}],
      ['too_many_requests', { 'retry-after': '7' }],
      ['internal', {}],
      ['bad_gateway', {}],
      ['unavailable', { 'retry-after': '1' }],
      ['deadline_exceeded', {}],
    ] as const) {
      const status = statusOf(code)
      const page = { status, headers: { 'content-type': 'text/html', ...headers }, body: '<html>Kong</html>' }
      const [early, late] = all([
        { refused: status, headers: { traceparent } },
        { headers: authorized({ traceparent }), upstream: page },
      ])
      for (const answer of [early, late]) {
        const { detail, ...rest } = JSON.parse(answer?.body ?? '')
        const { detail: _, ...expected } = JSON.parse(String(problem(code, { traceId: trace }).body))
        expect(rest).toEqual(expected)
        expect(typeof detail).toBe(code === 'internal' ? 'undefined' : 'string')
        expect(answer?.headers).toMatchObject({ ...problem(code, { traceId: trace }).headers })
      }
      expect(late?.headers).toMatchObject(headers)
    }
  })

  test.each([
    [417, 413, 'payload_too_large'],
    [494, 431, 'malformed'],
    [408, 408, 'malformed'],
    [414, 414, 'malformed'],
    [505, 505, 'internal'],
  ])('makes %i the %i of the contract', (refused, status, code) => {
    expect(problemIn(exchange({ refused }))).toEqual([status, code])
  })

  test('leaves a function’s own problems as they are', () => {
    const own = {
      status: 404,
      headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
      body: '{"code":"not_found","detail":"there is no student"}',
    }
    expect(exchange({ headers: authorized(), upstream: own })).toMatchObject(own)
  })

  test('refuses what a path has no function for, after the key', () => {
    const refusal = base.refusal('GET, HEAD, OPTIONS').config['access'] as string[]
    const [unknown, wrong, options, open] = all([
      { method: 'DELETE', refusal },
      { method: 'DELETE', refusal, headers: authorized() },
      { method: 'OPTIONS', refusal, headers: authorized() },
      { method: 'POST', refusal, keys: undefined },
    ])
    expect(problemIn(unknown as never)).toEqual([401, 'unauthorized'])
    for (const refused of [wrong, open]) {
      expect(problemIn(refused as never)).toEqual([405, 'method_not_allowed'])
      expect(refused?.headers['allow']).toBe('GET, HEAD, OPTIONS')
    }
    expect([options?.status, options?.body, options?.headers]).toEqual([
      204,
      '',
      { allow: 'GET, HEAD, OPTIONS' },
    ])
  })
})
