import { Agent, createServer, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { getFunction, getTestServer } from '@google-cloud/functions-framework/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { discoverFunctions } from '../spec/discover.ts'
import { expectProblem } from '../testing/http-conformance/expect.ts'
import { type HostKind, listen, openHosts } from '../testing/http-conformance/hosts.ts'
import { openPlatform } from '../testing/http-conformance/platform.ts'
import { exchange, type Target } from '../testing/http-conformance/target.ts'
import type { HttpApp } from './http-app.ts'
import { nodeHttpServer } from './node-http.ts'
import './functions-framework.ts'

const app: HttpApp = async (request) => {
  if (request.path === '/unread') return { status: 200, headers: {}, body: 'unread' }
  const { length } = await request.body()
  return { status: 200, headers: {}, body: String(length) }
}

it('every HTTP and every stream function is registered with the framework under its slug', async () => {
  for (const { name, declaration } of await discoverFunctions(join(import.meta.dirname, '../..'))) {
    const { kind } = declaration.trigger
    expect(getFunction(name.slug) !== undefined, name.full).toBe(kind === 'http' || kind === 'stream')
  }
})

describe.each(['native', 'framework'] satisfies HostKind[])('%s host', (kind) => {
  const stack = new AsyncDisposableStack()
  let target: Target
  beforeAll(async () => {
    const { variables } = stack.use(await openPlatform())
    target = stack.use(await openHosts(kind, variables))
  })
  afterAll(() => stack.disposeAsync())

  it('serves probes and metrics beside its function', async () => {
    await target.request('GET', '/api/students')
    for (const [path, body] of [
      ['/_/health', 'ok\n'],
      ['/_/ready', 'ready\n'],
    ] as const) {
      const reply = await target.request('GET', path)
      expect([reply.status, reply.text, reply.headers['content-type']]).toEqual([200, body, 'text/plain'])
      const head = await target.request('HEAD', path)
      expect([head.status, head.text, head.headers['content-length']]).toEqual([200, '', String(body.length)])
    }
    for (const path of ['/_/health', '/_/ready', '/metrics']) {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        const refused = await target.request(method, path)
        expectProblem(refused, 'method_not_allowed')
        expect(refused.headers.allow).toBe('GET, HEAD, OPTIONS')
      }
      const options = await target.request('OPTIONS', path)
      expect([options.status, options.headers.allow, options.text]).toEqual([204, 'GET, HEAD, OPTIONS', ''])
    }
    // Longer than what stands before it keeps a connection.
    const kept = await target.request('GET', '/api/students')
    expect(kept.headers['keep-alive']).toBe('timeout=75')
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5'
    const open = await target.request('GET', '/metrics', { headers: { accept } })
    expect(open.headers['content-type']).toMatch(/^application\/openmetrics-text; version=1\.0\.0/)
    expect(open.text).toMatch(
      new RegExp(
        `_seconds_bucket\\{[^}]*function="students/list"[^}]*\\} \\d+ # \\{trace_id="${kept.traceId}"\\} `,
      ),
    )
    const metrics = await target.request('GET', '/metrics?x=1')
    expect(metrics.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(metrics.text).toMatch(
      /registrar_invocations_total\{function="students\/list",trigger="http",method="GET",outcome="ok"\} [1-9]/,
    )
  })

  it('answers what only a framework would know as if it were nothing', async () => {
    for (const path of ['/favicon.ico', '/robots.txt', '/%', '/%E0%A4%A', '/api//', '/*']) {
      expectProblem(await target.request('GET', path), 'not_found')
    }
    expectProblem(await target.request('PROPFIND', '/api/students'), 'method_not_allowed')
    const reply = await target.request('GET', '/')
    expect(Object.keys(reply.headers).toSorted()).toEqual([
      'cache-control',
      'connection',
      'content-length',
      'content-type',
      'date',
      'keep-alive',
    ])
  })

  it.each([
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n', 400],
    ['nonsense\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', 400],
    ['HEAD / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('answers %j, which is no HTTP, with a problem', async (sent, status) => {
    // The hosts are for exchanges that are HTTP; a listener of its own is for those that are not.
    const server = kind === 'native' ? nodeHttpServer(app) : getTestServer('students-list')
    const socket = connect(await listen(server, stack), '127.0.0.1')
    socket.write(sent)
    if (status === 400 && sent.startsWith('GET')) socket.end()
    const answer = await text(socket)
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(head.toLowerCase()).toContain('content-type: application/problem+json')
    if (sent.startsWith('HEAD')) expect(body).toBe('')
    else expect(JSON.parse(body)).toMatchObject({ code: 'malformed', status, trace_id: expect.any(String) })
  })
})

describe('the native host', () => {
  const stack = new AsyncDisposableStack()
  afterAll(() => stack.disposeAsync())

  it('keeps a connection whose body has arrived, read or not, and ends one whose body is still coming', async () => {
    const port = await listen(nodeHttpServer(app), stack)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    stack.defer(() => agent.destroy())
    for (const path of ['/read', '/unread', '/read']) {
      const reply = await exchange(port, agent, 'POST', path, { body: 'x'.repeat(100) })
      expect([reply.status, reply.headers.connection]).toEqual([200, 'keep-alive'])
    }
    const sending = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/unread' })
    sending.write('x')
    const answered = await new Promise<string>((resolve, reject) => {
      sending.on('error', reject).on('response', (response) => {
        expect(response.headers.connection).toBe('close')
        resolve(text(response))
      })
    })
    expect(answered).toBe('unread')
    sending.destroy()
  })

  it('takes a body that was not sent for an empty one, and keeps the connection', async () => {
    const port = await listen(nodeHttpServer(app), stack)
    const socket = connect(port, '127.0.0.1')
    const head = (path: string, more = ''): string => `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`
    socket.write(head('/read') + head('/unread') + head('/read', 'Connection: close\r\n'))
    const answers = (await text(socket)).split('HTTP/1.1 200 OK').slice(1)
    expect(answers.map((one) => one.slice(one.indexOf('\r\n\r\n') + 4))).toEqual(['0', 'unread', '0'])
  })

  it('serves what comes before the app is made and after', async () => {
    const { promise, resolve } = Promise.withResolvers<HttpApp>()
    const port = await listen(nodeHttpServer(promise), stack)
    const agent = new Agent()
    const early = exchange(port, agent, 'POST', '/read', { body: 'abcd' })
    expect((await exchange(port, agent, 'GET', '/_/health')).text).toBe('ok\n')
    resolve(app)
    expect((await early).text).toBe('4')
    expect((await exchange(port, agent, 'POST', '/read', { body: 'abcde' })).text).toBe('5')
  })

  it('survives one who goes away in the middle of a body', async () => {
    const port = await listen(nodeHttpServer(app), stack)
    const socket = connect(port, '127.0.0.1')
    socket.write('POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc')
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    const agent = new Agent()
    expect((await exchange(port, agent, 'POST', '/read', { body: 'abcd' })).text).toBe('4')
  })

  it('is not what keepFromFramework looks at', async () => {
    const port = await listen(
      createServer((request, response) => response.end(`${request.method} ${request.url}`)),
      stack,
    )
    expect((await exchange(port, new Agent(), 'PUT', '/x?y', { body: 'z' })).text).toBe('PUT /x?y')
  })
})
