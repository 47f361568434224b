import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Variables } from '../config.ts'
import { expectProblem, json } from '../testing/http-conformance/expect.ts'
import { openPlatform, type Platform } from '../testing/http-conformance/platform.ts'
import { courses, students } from '../testing/http-conformance/services.ts'
import { exchange, Reply, type Sent } from '../testing/http-conformance/target.ts'

const root = join(import.meta.dirname, '../..')
const cli = join(root, 'node_modules/@google-cloud/functions-framework/build/src/main.js')
const source = join(root, 'shared/hosts/functions-framework.ts')

function start(target: string, port: number, variables: Variables): ChildProcess {
  return spawn(process.execPath, [cli, `--target=${target}`, `--source=${source}`, `--port=${port}`], {
    env: { ...variables, PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}

/** A POST that has reached its function for sure: with 100 Continue the server asked for its body, which is sent now. */
async function underWay(port: number, path: string, body: object): Promise<{ reply: Promise<Reply> }> {
  const headers = { ...json, expect: '100-continue' }
  const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', path, headers })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
  await once(request, 'continue')
  request.end(JSON.stringify(body))
  const read = async (): Promise<Reply> => {
    const response = await answered
    return new Reply(response.statusCode ?? 0, response.headers, Buffer.from(await text(response)), '')
  }
  return { reply: read() }
}

describe('under the CLI of the functions-framework', () => {
  const stack = new AsyncDisposableStack()
  const agent = new Agent()
  let platform: Platform
  beforeAll(async () => {
    platform = stack.use(await openPlatform())
  })
  afterAll(() => stack.disposeAsync())

  /** A function, once it serves. */
  async function serve(target: string) {
    const port = await freePort()
    const child = start(target, port, platform.variables)
    stack.defer(() => void child.kill('SIGKILL'))
    const closed = once(child, 'close')
    let said = ''
    child.stdout?.on('data', (chunk) => {
      said += String(chunk)
    })
    child.stderr?.on('data', (chunk) => {
      said += String(chunk)
    })
    await expect.poll(() => said).toContain('Serving function')
    const ask = (method: string, path: string, sent?: Sent) => exchange(port, agent, method, path, sent)
    return { child, port, closed, ask, said: () => said }
  }

  it('an HTTP function serves under its slug, and a stop finishes what is under way', async () => {
    const { child, port, closed, ask, said } = await serve('students-create')
    const created = await ask('POST', students.path, { body: students.make(), headers: json })
    expect(created.status, created.text).toBe(201)
    expectProblem(await ask('POST', students.path, { body: '{"name', headers: json }), 'malformed')
    expectProblem(
      await ask('POST', students.path, { body: '%', headers: { ...json, 'content-encoding': 'gzip' } }),
      'unsupported_media_type',
    )
    expectProblem(await ask('GET', '/favicon.ico'), 'not_found')
    for (const broken of [
      'nonsense\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    ]) {
      const socket = connect(port, '127.0.0.1').end(broken)
      expect(await text(socket), broken).toMatch(
        /^HTTP\/1.1 400 .*content-type: application\/problem\+json.*"code":"malformed"/is,
      )
    }
    platform.postgres.hold()
    const waiting = await underWay(port, students.path, students.make())
    child.kill('SIGTERM')
    // New connections are refused by then: it has begun to stop, and waits for one.
    await expect.poll(() => ask('GET', '/_/ready').catch((error) => error.code)).toBe('ECONNREFUSED')
    platform.postgres.release()
    const finished = await waiting.reply
    expect([finished.status, finished.headers['connection']]).toEqual([201, 'close'])
    const [code] = await closed
    expect(code).toBe(0)
    const lines = said()
      .split('\n')
      .filter((line) => line.startsWith('{'))
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      function: 'students/create',
      trigger: 'http',
      method: 'POST',
      outcome: 'ok',
    })
  })

  it('an event function serves under its slug', async () => {
    const { ask } = await serve('courses-enrol')
    expect((await ask('GET', '/_/ready')).text).toBe('ready\n')
    expectProblem(await ask('POST', courses.path, { body: '{', headers: json }), 'malformed')
  })

  it('a wrong configuration stops the start with every problem, and no value', async () => {
    const child = start('students-get', await freePort(), { STUDENTS_URL: 'mysql://secret@h/db' })
    let said = ''
    child.stderr?.on('data', (chunk) => {
      said += String(chunk)
    })
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    expect(said).toMatch(/STUDENTS_URL is not a URL/)
    expect(said).toMatch(/CACHE_URL is not set/)
    expect(said).not.toMatch(/secret|at .*\.ts/)
  })
})
