import { describe, expect, test, vi } from 'vitest'
import { key } from './testing/fixture.ts'
import { type Echo, json, problemOf, useGateway } from './testing/gateway.ts'

vi.setConfig({ testTimeout: 180_000 })

const on = useGateway()

describe('the key', () => {
  const bare = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${on.gateway.run.url}${path}`, init)

  test('is asked for', async () => {
    const response = await bare('/api/students/1')
    expect(response.headers.get('www-authenticate')).toBe('Key realm="registrar"')
    expect(await problemOf(response)).toEqual([401, 'unauthorized'])
  })

  test.each(['x-api-key', 'apikey', 'X-API-Key'])('is taken from the header %s and removed', async (name) => {
    const { headers } = (await (await bare('/api/students/1', { headers: { [name]: key } })).json()) as Echo
    expect(JSON.stringify(headers)).not.toContain(key)
    expect(headers['x-consumer-username']).toBe('registrar')
  })

  test('must be the right one', async () => {
    expect(await problemOf(await bare('/api/students/1', { headers: { apikey: `${key}x` } }))).toEqual([
      401,
      'unauthorized',
    ])
    const body = JSON.stringify({ apikey: 'wrong' })
    expect(await problemOf(await bare('/api/students', { method: 'POST', headers: json, body }))).toEqual([
      401,
      'unauthorized',
    ])
  })

  test.each(['?apikey=', '?x-api-key=', '?a=1&APIKEY=', '?%61pikey='])(
    'is refused in the query %s',
    async (query) => {
      expect(await problemOf(await on.gateway.run.fetch(`/api/students/1${query}${key}`))).toEqual([
        401,
        'unauthorized',
      ])
    },
  )

  test.each(['application/json', 'application/merge-patch+json; charset=utf-8'])(
    'is taken from a body of %s',
    async (type) => {
      const init = {
        method: 'POST',
        headers: { 'content-type': type },
        body: `{"n":12345678901234567890, "apikey":"${key}"}`,
      }
      expect(((await (await bare('/api/students', init)).json()) as Echo).body).toBe(
        '{"n":12345678901234567890}',
      )
    },
  )

  test('is removed from a body even when a header has it', async () => {
    expect(
      (
        await on.gateway.echo('/api/students', {
          method: 'POST',
          headers: json,
          body: '{"apikey":"other","a":1}',
        })
      ).body,
    ).toBe('{"a":1}')
  })

  test('leaves broken JSON to the function when a header has it, and refuses it else', async () => {
    const init = { method: 'POST', headers: json, body: '{"a":' }
    expect((await on.gateway.echo('/api/students', init)).body).toBe('{"a":')
    expect(await problemOf(await bare('/api/students', init))).toEqual([401, 'unauthorized'])
  })

  test('is not needed where a route is public, nor for metrics', async () => {
    expect((await bare('/api/docs')).status).toBe(200)
    expect((await bare('/metrics')).status).toBe(200)
  })

  test('metrics are only read', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const refused = await bare('/metrics', { method })
      expect(refused.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
      expect(await problemOf(refused)).toEqual([405, 'method_not_allowed'])
    }
    const options = await bare('/metrics', { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
  })

  test('in a header is not shown to the function in a body that is broken, or no JSON', async () => {
    const headers = { 'content-type': 'text/plain' }
    const echoed = await on.gateway.echo('/api/students', { method: 'POST', headers, body: `apikey=${key}` })
    expect(echoed.body).toBe(`apikey=${'*'.repeat(key.length)}`)
  })
})

describe('routes', () => {
  test('the literal path wins over the one with a parameter, whatever the method', async () => {
    expect((await on.gateway.echo('/api/students/health')).name).toBe('students/health')
    expect((await on.gateway.echo('/api/students/1')).name).toBe('students/get')
    expect((await on.gateway.run.fetch('/api/students/health', { method: 'DELETE' })).status).toBe(405)
  })

  test('a method that no function has is 405, with all that the path has', async () => {
    const response = await on.gateway.run.fetch('/api/students/1', { method: 'PATCH' })
    expect(response.headers.get('allow')).toBe('GET, HEAD, PUT, DELETE, OPTIONS')
    expect(await problemOf(response)).toEqual([405, 'method_not_allowed'])
    const options = await on.gateway.run.fetch('/api/students', { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'POST, OPTIONS'])
    expect((await fetch(`${on.gateway.run.url}/api/students`, { method: 'OPTIONS' })).status).toBe(401)
  })

  test.each(['/', '/api', '/api/students/', '/api/students/1/', '/api//students/1', '/api/students/1/x'])(
    '%s is 404',
    async (path) => {
      expect(await problemOf(await on.gateway.run.fetch(path))).toEqual([404, 'not_found'])
    },
  )

  test.each([
    '/api/students/../students/1',
    '/api/docs/../students/1',
    '/api/%73tudents/1',
    '/api/students%2F1',
    '*',
  ])('%s is matched as it is', async (path) => {
    const said = await on.gateway.raw(
      `GET ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\nconnection: close\r\n\r\n`,
    )
    expect(said).toMatch(/^HTTP\/1.1 404 /)
  })

  test.each([
    ['no', ''],
    ['a second', 'host: x\r\nHost: y\r\n'],
  ])('a request with %s Host is 400', async (_, hosts) => {
    const said = await on.gateway.raw(
      `GET /api/students/1 HTTP/1.1\r\n${hosts}x-api-key: ${key}\r\nconnection: close\r\n\r\n`,
    )
    expect(said).toMatch(/^HTTP\/1.1 400 .*"code":"malformed"/s)
  })

  test('the path reaches the function as it was sent, query included', async () => {
    const path = '/api/students/%2e%2E?a=%20&b='
    const said = await on.gateway.raw(
      `GET ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\nconnection: close\r\n\r\n`,
    )
    expect(said).toContain(`"url":"${path}"`)
  })

  test('HEAD has the headers of GET', async () => {
    const head = await on.gateway.run.fetch('/api/students/1', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0)
  })
})

describe('what a function sees', () => {
  test('nothing that the client said in our name', async () => {
    const forged = {
      'x-consumer-username': 'root',
      'x-consumer-id': '1',
      'x-real-ip': '1.2.3.4',
      'x-forwarded-proto': 'https',
      te: 'trailers',
    }
    const { headers } = await on.gateway.echo('/api/students/1', { headers: forged })
    expect(headers).toMatchObject({ 'x-consumer-username': 'registrar', 'x-forwarded-proto': 'http' })
    expect(headers).not.toHaveProperty('x-consumer-id')
    expect(headers).not.toHaveProperty('x-real-ip')
  })

  test('the trace of the client, or a new one', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(
      (await on.gateway.echo('/api/students/1', { headers: { traceparent, tracestate: 'a=1' } })).headers,
    ).toMatchObject({ traceparent, tracestate: 'a=1' })
    const { headers } = await on.gateway.echo('/api/students/1', {
      headers: { traceparent: 'junk', tracestate: 'a=1' },
    })
    expect(headers['traceparent']).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-0[01]$/)
    expect(headers).not.toHaveProperty('tracestate')
    const refused = await fetch(`${on.gateway.run.url}/api/students/1`, { headers: { traceparent } })
    expect(await refused.json()).toMatchObject({ trace_id: '0af7651916cd43dd8448eb211c80319c' })
  })

  test('its name and the servers, but no key and nothing of the user', async () => {
    const { env } = await on.gateway.echo('/api/students/1')
    expect(env).toMatchObject({
      FUNCTION: 'students/get',
      STUDENTS_BY_COURSE_URL: expect.stringContaining('127.0.0.1'),
    })
    expect(env).not.toHaveProperty('API_KEY')
  })
})
