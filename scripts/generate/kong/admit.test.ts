import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bodyLimit } from '../../../shared/http/message.ts'
import { KeyAuth } from '../../local/auth.ts'
import {
  all,
  authorized,
  exchange,
  fine,
  json,
  key,
  keyNames,
  lua,
  problemIn,
  trace,
  traceparent,
} from './testing/client.ts'
import { type Exchange, hasLua, requestId } from './testing/lua.ts'

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

  test('shows no function the key in a body that is not JSON', () => {
    for (const type of ['text/plain', '']) {
      const headers = authorized(type === '' ? {} : { 'content-type': type })
      const { upstream } = exchange({
        method: 'POST',
        body: `{"apikey":"${key}"}`,
        headers: { ...headers, 'content-length': String(key.length + 13) },
      })
      expect(upstream?.body).toBe(`{"apikey":"${'*'.repeat(key.length)}"}`)
    }
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
      ...[
        '{"a":1, "apikey" : "k" , "b":2}',
        ' {\n"apikey":"k"\n}\n',
        '{"api\\u006bey":"k","b":2}',
        '\ufeff{"apikey":"k","b":2}',
      ],
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
    const broken = [
      `{"a":"${key}`,
      `["${key}",{"apikey":"${key}"}]`,
      `"${key}"`,
      `{"apikey":"${key}"}}`,
      `{"a":"${key}"}`,
    ]
    const local = new KeyAuth(key, keyNames)
    const bodies = [...odd, ...broken, ...texts].map((text) => Buffer.from(text).toString('latin1'))
    const exchanged = all(bodies.map((body) => json(body, authorized())))
    for (const [i, body] of bodies.entries()) {
      const expected = local.fromBody(Buffer.from(body, 'latin1'), { json: true, sent: key })
      expect(exchanged[i]?.upstream?.body, body).toBe(expected.body.toString('latin1'))
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
})
