import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { expect, test, vi } from 'vitest'
import { listen } from '../../shared/testing/http-conformance/hosts.ts'
import { Campaign, type Report } from './campaign.ts'
import { Description } from './openapi.ts'
import { Pool } from './pool.ts'

// What a system does wrong is found: servers that do one thing wrong each.

vi.setConfig({ testTimeout: 600_000 })

const traceId = 'a'.repeat(32)
const problem = (status: number, code: string, more: object = {}) => ({
  status,
  body: { type: 'about:blank', title: 'Title', status, code, trace_id: traceId, ...more },
})

// To make one takes a while.
const wanted = new Description(
  ({ path, method }) => method === 'GET' && /^\/api\/students\/(\{id\}|health)$/.test(path),
)

interface Wronged {
  readonly status: number
  readonly body: object
  readonly type?: string
}
const health: Wronged = { status: 200, body: { status: 'ok' } }
type Wrong = (request: IncomingMessage) => Wronged

/** Answers health as it should, and anything else as it should not. */
async function found(
  wrong: Wrong,
  prepare: (server: Server) => void = () => {},
  { well = () => health, requests = 120 }: { well?: Wrong; requests?: number } = {},
): Promise<Report> {
  await using stack = new AsyncDisposableStack()
  const answer: RequestListener = (request, response) => {
    const isHealth = request.url?.startsWith('/api/students/health')
    const { status, body, type } = isHealth ? well(request) : wrong(request)
    const own = type ?? (status < 400 ? 'application/json' : 'application/problem+json')
    request.resume()
    response.writeHead(status, {
      'content-type': own,
      'www-authenticate': 'Key',
      allow: 'GET',
      'retry-after': '1',
    })
    response.end(JSON.stringify(body))
  }
  const server = createServer(answer)
  prepare(server)
  const port = await listen(server, stack)
  const campaign = new Campaign({
    origin: { hostname: '127.0.0.1', port, key: 'k' },
    description: wanted,
    // Of these each fault is one that some request has.
    seed: 1,
    lanes: 2,
    requests,
  })
  return await campaign.run()
}

test.each<[string, Wrong, RegExp]>([
  ['a failure', () => problem(500, 'internal'), /^nothing fails \((GET|HEAD) .*: 500\)$/],
  [
    'a stack',
    () => problem(404, 'not_found', { detail: 'Error: x\n    at handle (/srv/a.js:1:2)' }),
    /^nothing leaks/,
  ],
  ['SQL', () => problem(404, 'not_found', { detail: 'syntax error at or near "x"' }), /^nothing leaks/],
  [
    'a host',
    () => problem(404, 'not_found', { detail: 'connect ECONNREFUSED 127.0.0.1:5432' }),
    /^nothing leaks/,
  ],
  ['a status of its own', () => problem(418, 'not_found'), /^the status is declared \(.*: 418\)$/],
  [
    'an answer that is not as declared',
    () => ({ status: 200, body: { data: { id: 'x' } } }),
    /^the answer is as declared/,
  ],
  ['another type', () => ({ ...problem(404, 'not_found'), type: 'text/html' }), /^refusals are problems/],
  ['a problem without its code', () => ({ status: 404, body: { status: 404 } }), /^refusals are problems/],
  ['the refusal of what is valid', () => problem(400, 'malformed'), /^what is valid is taken/],
])('%s', async (_, wrong, rule) => {
  const { found: faults } = await found(wrong)
  expect(faults.map((fault) => fault.rule)).toEqual(expect.arrayContaining([expect.stringMatching(rule)]))
})

test('what only some attempts have, as well as what all have', async () => {
  let left = 2
  const report = await found(() =>
    left-- > 0
      ? problem(503, 'unavailable', { detail: 'connect ECONNREFUSED 10.0.0.1' })
      : problem(404, 'not_found'),
  )
  expect(report.statuses.get(503)).toBeGreaterThan(0)
  const rules = report.found.map(({ rule }) => rule)
  expect(rules).toContainEqual(expect.stringMatching(/^nothing leaks \(.*: 503\)$/))
  expect(rules).not.toContain('a healthy system is available')
})

test('a leak where it is only asked whether the system is alive', async () => {
  let left = 1
  const well: Wrong = () => (left-- > 0 ? problem(503, 'unavailable', { detail: 'db:5432' }) : health)
  const { found: faults } = await found(
    () => problem(404, 'not_found'),
    () => {},
    // It is asked that at the end, whatever was asked before.
    { well, requests: 0 },
  )
  const rules = faults.map(({ rule }) => rule)
  expect(rules).toEqual(['nothing leaks (GET /api/students/health: 503)'])
})

test('the end of a connection without an answer, with the smallest request that has it', async () => {
  const { found: faults } = await found((request) => {
    if (request.headers['if-none-match'] !== undefined) request.socket.destroy()
    return problem(404, 'not_found')
  })
  const fault = faults.find(({ rule }) => rule === 'there is an answer')
  const [bytes = ''] = fault?.shot.pieces ?? []
  expect(bytes).toMatch(/\r\nif-none-match: [^\r]{1,60}\r\n/i)
  expect(bytes.split('\r\n').length).toBeLessThan(9)
})

test('a request that is smuggled behind another', async () => {
  // As servers were that took what contradicts itself.
  const { found: faults } = await found(
    () => problem(404, 'not_found'),
    (server) => {
      server.on('clientError', (_, socket) => {
        const answer = 'HTTP/1.1 204 No Content\r\n\r\n'
        if (socket.writable) socket.end(answer + answer)
      })
    },
  )
  expect(faults.map(({ rule }) => rule)).toEqual(expect.arrayContaining(['nothing is smuggled']))
})

test('a system that takes no connections for a moment', async () => {
  let served = 0
  const report = await found(
    () => problem(404, 'not_found'),
    (server) =>
      server.on('request', () => {
        if (++served !== 20) return
        const address = server.address()
        server.close()
        server.closeAllConnections()
        setTimeout(() => server.listen(address), 20)
      }),
    { requests: 300 },
  )
  expect(report.found.map(({ rule }) => rule)).toContain('the server takes connections')
  expect(report.sent).toBe(300)
})

test('an error of its own is no fault of the system', async () => {
  using _ = vi.spyOn(Pool.prototype, 'learn').mockImplementationOnce(() => {
    throw new Error('a bug')
  })
  await expect(found(() => problem(404, 'not_found'))).rejects.toThrow('a bug')
})

test('all that was made is removed, however it was sent', async () => {
  await using stack = new AsyncDisposableStack()
  const made = new Set<string>()
  const server = createServer(({ method, url = '' }, response) => {
    if (method === 'POST' && url === '/api/students') {
      const location = `${url}/${randomUUID()}`
      made.add(location)
      response.writeHead(201, { location }).end()
    } else response.writeHead(method === 'DELETE' && made.delete(url) ? 204 : 404).end()
  })
  // What was made is told, whatever comes behind it.
  server.on('clientError', (_, socket) => socket.end())
  const origin = { hostname: '127.0.0.1', port: await listen(server, stack), key: 'k' }
  const description = new Description(
    ({ path, method }) => /^\/api\/students(\/\{id\})?$/.test(path) && /^(POST|DELETE)$/.test(method),
  )
  const campaign = new Campaign({ origin, description, seed: 1, lanes: 2, requests: 120 })
  await campaign.run()
  expect(made.size).toBeGreaterThan(0)
  expect(await campaign.clean()).toMatchObject({ left: 0 })
  expect([...made]).toEqual([])
})
