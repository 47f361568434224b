import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { key } from './testing/fixture.ts'
import { json, problemOf, useGateway } from './testing/gateway.ts'

vi.setConfig({ testTimeout: 180_000 })

const on = useGateway()

describe('bad clients', () => {
  const head = (more: string): string =>
    `POST /api/students HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\ncontent-type: application/json\r\n${more}\r\n\r\n`

  test('a body over 64 KB is 413, announced or not', async () => {
    const body = 'x'.repeat(64 * 1024 + 1)
    expect(
      await problemOf(await on.gateway.run.fetch('/api/students', { method: 'POST', headers: json, body })),
    ).toEqual([413, 'payload_too_large'])
    expect(
      (await on.gateway.echo('/api/students', { method: 'POST', body: body.slice(1) })).body,
    ).toHaveLength(64 * 1024)
    const announced = head('content-length: 99999999')
    expect(await on.gateway.raw(announced)).toMatch(/^HTTP\/1.1 413 /)
    // Nobody wants one there.
    expect(await on.gateway.raw(announced.replace('POST /api/students', 'DELETE /api/students/1'))).toMatch(
      /^HTTP\/1.1 413 /,
    )
  })

  test('a chunked upload that never ends is 413 as soon as it is too much', async () => {
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
    expect(await on.gateway.raw(head('transfer-encoding: chunked') + chunk.repeat(3))).toMatch(
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
    expect(await on.gateway.raw(bytes)).toMatch(
      new RegExp(`^HTTP/1.1 ${status} .*"trace_id":"[0-9a-f]{32}"`, 's'),
    )
  })

  test('a body that waits for its 100 is asked for only when nothing in the head stands against it', async () => {
    const waiting = (path: string, more: string, method = 'POST'): Promise<string> =>
      on.gateway.raw(
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
    const said = await on.gateway.raw(
      `GET /api/students/1 HTTP/1.1\r\nhost: x\r\nexpect: rain\r\nx-api-key: ${key}\r\nconnection: close\r\n\r\n`,
    )
    expect(said).toMatch(/^HTTP\/1.1 200 /)
  })

  test('a whole URL is taken for its path', async () => {
    const target = `${on.gateway.run.url}/api/students/1?a=1`
    const said = await on.gateway.raw(
      `GET ${target} HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\nconnection: close\r\n\r\n`,
    )
    expect(said).toMatch(/^HTTP\/1.1 200 .*"url":"\/api\/students\/1\?a=1"/s)
  })

  test('one who goes away does no harm', async () => {
    const socket = connect(Number(new URL(on.gateway.run.url).port), '127.0.0.1')
    socket.write(`${head('content-length: 100')}{`)
    await sleep(50)
    socket.destroy()
    expect((await on.gateway.run.fetch('/api/students/1')).status).toBe(200)
  })
})
