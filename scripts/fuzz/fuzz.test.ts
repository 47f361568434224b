import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { join } from 'node:path'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Config } from '../../shared/config.ts'
import { registerFunction } from '../../shared/hosts/functions-framework.ts'
import { wire } from '../../shared/hosts/host.ts'
import { type HttpAssembly, wiredApp } from '../../shared/hosts/http.ts'
import { assemble } from '../../shared/hosts/main.ts'
import { nodeHttpServer } from '../../shared/hosts/node-http.ts'
import { discoverFunctions } from '../../shared/spec/discover.ts'
import { listen } from '../../shared/testing/http-conformance/hosts.ts'
import { openPlatform, type Platform } from '../../shared/testing/http-conformance/platform.ts'
import { Environment } from '../../shared/wiring/environment.ts'
import { runScript } from '../local/testing/script.ts'
import { Campaign, type CampaignOptions, type Report } from './campaign.ts'
import { Description } from './openapi.ts'
import { readOptions } from './options.ts'
import { reported } from './report.ts'
import { startSystem } from './system.ts'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 })

const root = join(import.meta.dirname, '../..')
// Another one in each run; a failure says which it was.
const seed = Math.floor(Math.random() * 2 ** 31)

async function fuzzed(
  options: Omit<CampaignOptions, 'seed' | 'lanes'> & Partial<CampaignOptions>,
): Promise<Report> {
  return new Campaign({ lanes: 8, seed, ...options }).run()
}

function expectNothing(report: Report): void {
  // Not the faults themselves: their bytes may be many, and the report shortens them.
  expect(report.found.length, `seed ${seed}\n${reported(report, 0)}`).toBe(0)
}

test('the whole system keeps to its description, whatever 2,000 requests ask of it', async () => {
  await using system = await startSystem()
  const report = await fuzzed({ origin: system.origin, description: new Description(), requests: 2000 })
  expectNothing(report)
  expect(report.sent).toBe(2000)
  // It comes to every kind of answer that a healthy system has.
  const seen = [...report.statuses.keys()]
  expect(seen).toEqual(expect.arrayContaining([200, 201, 204, 400, 401, 404, 405, 412, 415, 422]))
  expect([...report.families.keys()].toSorted()).toEqual(['framing', 'hostile', 'nearly', 'valid'])
})

describe('a function without its gateway', () => {
  const name = 'courses/create'
  const description = new Description(({ path, method }) => path === '/api/courses' && method === 'POST')
  const stack = new AsyncDisposableStack()
  let platform: Platform
  beforeAll(async () => {
    platform = stack.use(await openPlatform())
  })
  afterAll(() => stack.disposeAsync())
  const environment = () => stack.use(new Environment(name, new Config(platform.variables)))

  test('keeps to it on the native host', async () => {
    // Discovered as an HTTP function.
    const assembly = (await assemble(name)) as HttpAssembly
    const port = await listen(nodeHttpServer(wiredApp(assembly, await wire(environment(), assembly))), stack)
    const report = await fuzzed({ origin: { hostname: '127.0.0.1', port }, description, requests: 2000 })
    expectNothing(report)
    expect(report.statuses.get(201)).toBeGreaterThan(100)
  })

  test('keeps to it under functions-framework', async () => {
    const found = (await discoverFunctions(root)).find((one) => one.name.full === name)
    if (!found) throw new Error(`there is no ${name}`)
    const made = registerFunction(found, environment())
    if (made) stack.use(made)
    const port = await listen(getTestServer(found.name.slug), stack)
    const report = await fuzzed({ origin: { hostname: '127.0.0.1', port }, description, requests: 1000 })
    expectNothing(report)
    expect(report.statuses.get(201)).toBeGreaterThan(50)
  })
})

describe('what a system does wrong is found', () => {
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
  async function found(wrong: Wrong, prepare: (server: Server) => void = () => {}): Promise<Report> {
    await using stack = new AsyncDisposableStack()
    const answer: RequestListener = (request, response) => {
      const { status, body, type } = request.url?.startsWith('/api/students/health') ? health : wrong(request)
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
    return await fuzzed({
      origin: { hostname: '127.0.0.1', port, key: 'k' },
      description: wanted,
      // Of these each fault is one that some request has.
      seed: 1,
      lanes: 2,
      requests: 120,
    })
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
})

test('the command says what it found and how to find it again, with a code for it', async () => {
  await using stack = new AsyncDisposableStack()
  const server = createServer((request, response) => {
    const { status, body } =
      request.headers['x-api-key'] !== 'k'
        ? { status: 401, body: 'no' }
        : { status: 200, body: JSON.stringify({ data: [], next_cursor: null }) }
    request.resume()
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  const port = await listen(server, stack)
  const url = `http://127.0.0.1:${port}`
  const { code, said } = await fuzz('--url', url, '--key', 'k', '--requests', '50', '--seed', '7')
  expect([code, said]).toEqual([
    1,
    expect.stringMatching(/^seed 7\n[\s\S]*^FOUND {2}[\s\S]*\n {2}the smallest request/m),
  ])
  expect(said).toMatch(/\n[1-9]\d* faults found\nagain: npm run fuzz -- --requests 50 --seed 7 --lanes 8\n/)
  for (const [args, sentence] of [
    [['--url', url, '--key', 'wrong'], /does not know this key$/],
    [['--url', 'http://127.0.0.1:9', '--key', 'k'], /does not answer: /],
    [['--requests', 'many'], /^--requests is not a whole number/],
  ] as const) {
    const refused = await fuzz(...args)
    expect([refused.code, refused.said.split('\n')[0]]).toEqual([1, expect.stringMatching(sentence)])
  }
  expect(await fuzz('--help')).toEqual({ code: 0, said: expect.stringMatching(/^usage: npm run fuzz/) })
})

test('what it is told is checked', () => {
  const read = (args: string): unknown => readOptions(args.split(' '), { API_KEY: 'k' })
  expect(read('--url http://localhost:8000 --seed 5')).toMatchObject({
    origin: { hostname: 'localhost', port: 8000, key: 'k' },
    requests: 2000,
    seed: 5,
  })
  expect(read('--requests 10')).toMatchObject({ origin: undefined, requests: 10 })
  for (const bad of [
    '--url ftp://x',
    '--url http://x/api',
    '--seed -1',
    '--seed 1.5',
    '--lanes 0',
    '--key k',
    '--nonsense',
  ])
    expect(typeof read(bad), bad).toBe('string')
})

const fuzz = (...args: string[]) => runScript('scripts/fuzz/fuzz.ts', ...args)
