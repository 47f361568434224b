import { describe, expect, test } from 'vitest'
import { problem, statusOf } from '../../../shared/http/problem.ts'
import { all, authorized, base, exchange, problemIn, trace, traceparent } from './testing/client.ts'
import { hasLua } from './testing/lua.ts'

describe.skipIf(!hasLua)('what refuses a request', () => {
  test('is told as the problem that the contract has, whatever it is', () => {
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

  test('says when the next minute of a limit begins', () => {
    const seconds = Number(exchange({ refused: 429 }).headers['retry-after'])
    expect(seconds).toBeGreaterThanOrEqual(1)
    expect(seconds).toBeLessThanOrEqual(60)
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

  test('is left as it is where a function said it', () => {
    const own = {
      status: 404,
      headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
      body: '{"code":"not_found","detail":"there is no student"}',
    }
    expect(exchange({ headers: authorized(), upstream: own })).toMatchObject(own)
  })

  test('is a path that has no function for the method, after the key', () => {
    const refusal = base.refusal('GET, HEAD, OPTIONS').config['access'] as string[]
    const [unknown, wrong, options, open] = all([
      { method: 'DELETE', refusal },
      { method: 'DELETE', refusal, headers: authorized() },
      { method: 'OPTIONS', refusal, headers: authorized() },
      { method: 'POST', refusal, keys: undefined },
    ])
    expect(problemIn(unknown)).toEqual([401, 'unauthorized'])
    for (const refused of [wrong, open]) {
      expect(problemIn(refused)).toEqual([405, 'method_not_allowed'])
      expect(refused?.headers['allow']).toBe('GET, HEAD, OPTIONS')
    }
    expect([options?.status, options?.body, options?.headers]).toEqual([
      204,
      '',
      { allow: 'GET, HEAD, OPTIONS' },
    ])
  })
})
