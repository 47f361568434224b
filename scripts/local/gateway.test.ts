import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { key, kill, Started, Tree, until } from './testing/fixture.ts'

vi.setConfig({ testTimeout: 60_000 })

let tree: Tree
let run: Started

beforeAll(async () => {
  tree = new Tree()
  run = new Started(tree, { env: { IDLE_SECONDS: '1.5' } })
  await run.ready()
}, 60_000)

afterAll(async () => {
  await run[Symbol.asyncDispose]()
  tree[Symbol.dispose]()
}, 60_000)

interface Echo {
  readonly name: string
  readonly pid: number
  /** Whether it was asked to end before it answered. */
  readonly stopping: boolean
  readonly url: string
  readonly body: string
  readonly headers: Record<string, string>
  readonly env: Record<string, string>
}

const json = { 'content-type': 'application/json' }
const echo = async (path: string, init?: RequestInit): Promise<Echo> => {
  const response = await run.fetch(path, init)
  expect(response.status).toBe(200)
  return (await response.json()) as Echo
}
const code = async (response: Response): Promise<unknown> => {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const body = (await response.json()) as { code: string; status: number; trace_id: string }
  expect(body.status).toBe(response.status)
  expect(body.trace_id).toMatch(/^[\da-f]{32}$/)
  return [body.status, body.code]
}
/** Sends bytes as they are and tells all that came back until the connection closed. */
async function raw(bytes: string, port = Number(new URL(run.url).port)): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let said = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    said += chunk
  })
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  return said
}

describe('the key', () => {
  const bare = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${run.url}${path}`, init)

  test('is asked for', async () => {
    const response = await bare('/api/students/1')
    expect(response.headers.get('www-authenticate')).toBe('Key realm="registrar"')
    expect(await code(response)).toEqual([401, 'unauthorized'])
  })

  test.each(['x-api-key', 'apikey', 'X-API-Key'])('is taken from the header %s and removed', async (name) => {
    const { headers } = (await (await bare('/api/students/1', { headers: { [name]: key } })).json()) as Echo
    expect(JSON.stringify(headers)).not.toContain(key)
    expect(headers['x-consumer-username']).toBe('registrar')
  })

  test('must be the right one', async () => {
    expect(await code(await bare('/api/students/1', { headers: { apikey: `${key}x` } }))).toEqual([
      401,
      'unauthorized',
    ])
    const body = JSON.stringify({ apikey: 'wrong' })
    expect(await code(await bare('/api/students', { method: 'POST', headers: json, body }))).toEqual([
      401,
      'unauthorized',
    ])
  })

  test.each(['?apikey=', '?x-api-key=', '?a=1&APIKEY=', '?%61pikey='])(
    'is refused in the query %s',
    async (query) => {
      expect(await code(await run.fetch(`/api/students/1${query}${key}`))).toEqual([401, 'unauthorized'])
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
      (await echo('/api/students', { method: 'POST', headers: json, body: '{"apikey":"other","a":1}' })).body,
    ).toBe('{"a":1}')
  })

  test('leaves broken JSON to the function when a header has it, and refuses it else', async () => {
    const init = { method: 'POST', headers: json, body: '{"a":' }
    expect((await echo('/api/students', init)).body).toBe('{"a":')
    expect(await code(await bare('/api/students', init))).toEqual([401, 'unauthorized'])
  })

  test('is not needed where a route is public, nor for metrics', async () => {
    expect((await bare('/api/docs')).status).toBe(200)
    expect((await bare('/metrics')).status).toBe(200)
  })
})

describe('routes', () => {
  test('the literal path wins over the one with a parameter, whatever the method', async () => {
    expect((await echo('/api/students/health')).name).toBe('students/health')
    expect((await echo('/api/students/1')).name).toBe('students/get')
    expect((await run.fetch('/api/students/health', { method: 'DELETE' })).status).toBe(405)
  })

  test('a method that no function has is 405, with all that the path has', async () => {
    const response = await run.fetch('/api/students/1', { method: 'PATCH' })
    expect(response.headers.get('allow')).toBe('GET, HEAD, PUT, DELETE, OPTIONS')
    expect(await code(response)).toEqual([405, 'method_not_allowed'])
    const options = await run.fetch('/api/students', { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'POST, OPTIONS'])
    expect((await fetch(`${run.url}/api/students`, { method: 'OPTIONS' })).status).toBe(401)
  })

  test.each(['/', '/api', '/api/students/', '/api/students/1/', '/api//students/1', '/api/students/1/x'])(
    '%s is 404',
    async (path) => {
      expect(await code(await run.fetch(path))).toEqual([404, 'not_found'])
    },
  )

  test.each([
    '/api/students/../students/1',
    '/api/docs/../students/1',
    '/api/%73tudents/1',
    '/api/students%2F1',
    '*',
  ])('%s is matched as it is', async (path) => {
    const said = await raw(
      `GET ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\nconnection: close\r\n\r\n`,
    )
    expect(said).toMatch(/^HTTP\/1.1 404 /)
  })

  test('the path reaches the function as it was sent, query included', async () => {
    const path = '/api/students/%2e%2E?a=%20&b='
    const said = await raw(
      `GET ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\nconnection: close\r\n\r\n`,
    )
    expect(said).toContain(`"url":"${path}"`)
  })

  test('HEAD has the headers of GET', async () => {
    const head = await run.fetch('/api/students/1', { method: 'HEAD' })
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
    const { headers } = await echo('/api/students/1', { headers: forged })
    expect(headers).toMatchObject({ 'x-consumer-username': 'registrar', 'x-forwarded-proto': 'http' })
    expect(headers).not.toHaveProperty('x-consumer-id')
    expect(headers).not.toHaveProperty('x-real-ip')
  })

  test('the trace of the client, or a new one', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(
      (await echo('/api/students/1', { headers: { traceparent, tracestate: 'a=1' } })).headers,
    ).toMatchObject({ traceparent, tracestate: 'a=1' })
    const { headers } = await echo('/api/students/1', { headers: { traceparent: 'junk', tracestate: 'a=1' } })
    expect(headers['traceparent']).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-0[01]$/)
    expect(headers).not.toHaveProperty('tracestate')
    const refused = await fetch(`${run.url}/api/students/1`, { headers: { traceparent } })
    expect(await refused.json()).toMatchObject({ trace_id: '0af7651916cd43dd8448eb211c80319c' })
  })

  test('its name and the servers, but no key and nothing of the user', async () => {
    const { env } = await echo('/api/students/1')
    expect(env).toMatchObject({
      FUNCTION: 'students/get',
      STUDENTS_BY_COURSE_URL: expect.stringContaining('127.0.0.1'),
    })
    expect(env).not.toHaveProperty('API_KEY')
  })
})

describe('bad clients', () => {
  const head = (more: string): string =>
    `POST /api/students HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\ncontent-type: application/json\r\n${more}\r\n\r\n`

  test('a body over 64 KB is 413, announced or not', async () => {
    const body = 'x'.repeat(64 * 1024 + 1)
    expect(await code(await run.fetch('/api/students', { method: 'POST', headers: json, body }))).toEqual([
      413,
      'payload_too_large',
    ])
    expect((await echo('/api/students', { method: 'POST', body: body.slice(1) })).body).toHaveLength(
      64 * 1024,
    )
    const announced = head('content-length: 99999999')
    expect(await raw(announced)).toMatch(/^HTTP\/1.1 413 /)
    // Nobody wants one there.
    expect(await raw(announced.replace('POST /api/students', 'DELETE /api/students/1'))).toMatch(
      /^HTTP\/1.1 413 /,
    )
  })

  test('a chunked upload that never ends is 413 as soon as it is too much', async () => {
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
    expect(await raw(head('transfer-encoding: chunked') + chunk.repeat(3))).toMatch(
      /^HTTP\/1.1 413 .*payload_too_large/s,
    )
  })

  test.each([
    ['no Host', 'GET /api/students/1 HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['both lengths', head('content-length: 5\r\ntransfer-encoding: chunked'), 400],
    ['a bad chunk', `${head('transfer-encoding: chunked')}zz\r\n`, 400],
    ['a header without end', `GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(40_000)}`, 431],
  ])('%s is refused', async (_, bytes, status) => {
    expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} .*"trace_id":"[0-9a-f]{32}"`, 's'))
  })

  test('a body that waits for its 100 is asked for only when nothing in the head stands against it', async () => {
    const waiting = (path: string, more: string, method = 'POST'): Promise<string> =>
      raw(
        `${method} ${path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\nconnection: close\r\n${more}\r\n\r\n`,
      )
    const known = `x-api-key: ${key}\r\n`
    const [two, typed] = ['content-length: 2', 'content-type: application/json\r\n']
    expect(await waiting('/api/students', two)).toMatch(/^HTTP\/1.1 401 /)
    expect(await waiting('/api/students', `apikey: ${key}x\r\n${typed}${two}`)).toMatch(/^HTTP\/1.1 401 /)
    expect(await waiting('/api/nothing', known + two)).toMatch(/^HTTP\/1.1 404 /)
    expect(await waiting('/api/students/1', known + two, 'PATCH')).toMatch(/^HTTP\/1.1 405 /)
    expect(await waiting('/api/students', `${known}content-length: 65537`)).toMatch(/^HTTP\/1.1 413 /)
    // The key may be in the body.
    expect(await waiting('/api/students', `${typed}${two}\r\n\r\n{}`)).toMatch(
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 401 /,
    )
    expect(await waiting('/api/students', `${known}${two}\r\n\r\n{}`)).toMatch(
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /,
    )
  })

  test('an expectation that nobody knows is left aside', async () => {
    const said = await raw(
      `GET /api/students/1 HTTP/1.1\r\nhost: x\r\nexpect: rain\r\nx-api-key: ${key}\r\nconnection: close\r\n\r\n`,
    )
    expect(said).toMatch(/^HTTP\/1.1 200 /)
  })

  test('a whole URL is taken for its path', async () => {
    const target = `${run.url}/api/students/1?a=1`
    const said = await raw(
      `GET ${target} HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\nconnection: close\r\n\r\n`,
    )
    expect(said).toMatch(/^HTTP\/1.1 200 .*"url":"\/api\/students\/1\?a=1"/s)
  })

  test('one who goes away does no harm', async () => {
    const socket = connect(Number(new URL(run.url).port), '127.0.0.1')
    socket.write(`${head('content-length: 100')}{`)
    await sleep(50)
    socket.destroy()
    expect((await run.fetch('/api/students/1')).status).toBe(200)
  })
})

describe('activation', () => {
  const settled = (): Promise<void> =>
    until('all functions are idle', async () => !(await live('students/get')))
  const live = async (name: string): Promise<boolean> =>
    tree.events(`${name} start`).length > tree.events(`${name} end`).length + killed(name)
  const killed = (name: string): number =>
    run.stdout.split('\n').filter((line) => line.includes('"died"') && line.includes(name)).length

  test('concurrent first requests share one start, and idleness ends it', async () => {
    await settled()
    const before = tree.events('students/get start').length
    // None is answered before all are there, so that none comes only when the others' process is gone again.
    const headers = { 'x-together': '20' }
    const pids = await Promise.all(
      Array.from({ length: 20 }, async () => (await echo('/api/students/1', { headers })).pid),
    )
    expect(new Set(pids).size).toBe(1)
    expect(tree.events('students/get start')).toHaveLength(before + 1)
    await settled()
  })

  test('no request is lost where a stop meets a request', async () => {
    for (let round = 0; round < 6; round++) {
      await echo('/api/students/1')
      await sleep(1470 + round * 10)
    }
  })

  test('a request that takes longer than idleness is not cut off', async () => {
    const { pid, stopping } = await echo('/api/students/1', { headers: { 'x-sleep': '3000' } })
    expect(stopping).toBe(false)
    const at = (event: string): number =>
      Number(
        tree
          .events(`students/get ${event}`)
          .findLast((line) => line.endsWith(` ${pid}`))
          ?.split(' ')
          .at(-2) ?? Number.NaN,
      )
    await until('it is asked to end', () => at('term') > 0)
    // Idleness begins with the answer; timers may be early by a millisecond.
    expect(at('term') - at('answered')).toBeGreaterThanOrEqual(1499)
  })

  test('a process that dies under a GET is replaced, unseen', async () => {
    const headers = { 'x-kill': 'once', 'x-nonce': `${Math.random()}` }
    expect((await echo('/api/students/1', { headers })).name).toBe('students/get')
  })

  test('a process that is killed while it starts is replaced, unseen', async () => {
    await until('it is idle', () => tree.events('health end').length === tree.events('health start').length)
    const starts = tree.events('health start').length
    const gate = tree.hold('students-health')
    const answer = echo('/api/students/health')
    await until('it starts', () => tree.events('health start').length > starts)
    const killed = Number(tree.events('health start').at(-1)?.split(' ').at(-1))
    process.kill(killed, 'SIGKILL')
    await until('it is gone', () => !run.processes.includes(killed))
    gate.letGo()
    expect((await answer).pid).not.toBe(killed)
  })

  test('a process that dies halfway through its answer is a clean problem, twice for a GET', async () => {
    const response = await run.fetch('/api/students/1', { headers: { 'x-kill': 'halfway' } })
    expect(await code(response)).toEqual([502, 'bad_gateway'])
  })

  test('a process that dies under a POST is 502, once', async () => {
    const headers = { 'x-kill': 'once', 'x-nonce': `${Math.random()}`, ...json }
    expect(await code(await run.fetch('/api/students', { method: 'POST', headers, body: '{}' }))).toEqual([
      502,
      'bad_gateway',
    ])
    expect(await echo('/api/students', { method: 'POST', headers, body: '{}' })).toMatchObject({
      name: 'students/write',
    })
  })

  test('a write right after its process was killed succeeds', async () => {
    for (let round = 0; round < 5; round++) {
      const { pid } = await echo('/api/students', { method: 'POST', body: '' })
      kill(pid)
      await until('it is gone', () => !run.processes.includes(pid))
      expect((await echo('/api/students', { method: 'POST', body: '' })).pid).not.toBe(pid)
    }
  })

  test('a function that hangs is 504, is killed, and serves again', async () => {
    const response = await run.fetch('/api/students/brief', { headers: { 'x-block': '1' } })
    expect(await code(response)).toEqual([504, 'deadline_exceeded'])
    await until('it serves again', async () => (await run.fetch('/api/students/brief')).status === 200)
  })

  test('metrics of all processes are one, and none is lost when they stop', async () => {
    const count = async (): Promise<number> => {
      const text = await (await fetch(`${run.url}/metrics`)).text()
      return Number(/^fake_requests_total\{function="platform\/docs"\} (\d+)$/m.exec(text)?.[1] ?? 0)
    }
    const stopped = (): Promise<void> =>
      until(
        'docs has stopped',
        () => tree.events('platform/docs end').length === tree.events('platform/docs start').length,
      )
    await stopped()
    const before = await count()
    for (let i = 0; i < 3; i++) await fetch(`${run.url}/api/docs`)
    // A process that is too busy to answer is seen as it was the last time.
    await until('they are counted', async () => (await count()) === before + 3)
    await stopped()
    expect(await count()).toBe(before + 3)
    await fetch(`${run.url}/api/docs`)
    await until('it is counted', async () => (await count()) === before + 4)
  })
})

describe('lookups', () => {
  const ask = async (path: string): Promise<string> => {
    const { env } = await echo('/api/students/1')
    const port = Number(new URL(env['STUDENTS_BY_COURSE_URL'] ?? '').port)
    return raw(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`, port)
  }

  test('are started by a connection and stopped when no byte moves', async () => {
    expect(await ask('/s/m')).toContain('students/by-course')
    await until(
      'it is idle',
      () => tree.events('students/by-course end').length === tree.events('students/by-course start').length,
    )
    expect(await ask('/s/m')).toContain('students/by-course')
  })

  test('a kept HTTP/1.1 connection outlives its process between requests', async () => {
    const { env } = await echo('/api/students/1')
    const socket = connect(Number(new URL(env['STUDENTS_BY_COURSE_URL'] ?? '').port), '127.0.0.1')
    let said = ''
    socket.setEncoding('latin1').on('data', (chunk) => {
      said += chunk
    })
    const request = 'POST /s/m HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}'
    const answers = (): number => said.split('HTTP/1.1 200').length - 1
    socket.write(request)
    await until('it answers', () => answers() === 1)
    await until(
      'it is idle',
      () => tree.events('students/by-course end').length === tree.events('students/by-course start').length,
    )
    expect(socket.closed).toBe(false)
    socket.write(request)
    await until('it answers again', () => answers() === 2)
    socket.destroy()
  })
})
