import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Service } from './services.ts'
import type { Reply, Sent, Target } from './target.ts'

export const json = { 'content-type': 'application/json' } as const
export const mergePatch = { 'content-type': 'application/merge-patch+json' } as const

/** Words that only our inside says. */
const internal =
  /postgres|redis|\bnats\b|jetstream|mongo|ECONN|EPIPE|\bsql\b|constraint|relation "|node_modules|\.[jt]s:\d|\bstack\b|127\.0\.0\.1/i

const titles: Readonly<Record<string, readonly [status: number, title: string]>> = {
  malformed: [400, 'Malformed request'],
  unauthorized: [401, 'Missing or wrong key'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  conflict: [409, 'Conflict'],
  precondition_failed: [412, 'Precondition failed'],
  payload_too_large: [413, 'Payload too large'],
  unsupported_media_type: [415, 'Unsupported media type'],
  invalid: [422, 'Invalid content'],
  unavailable: [503, 'Service unavailable'],
  deadline_exceeded: [504, 'Deadline exceeded'],
}

interface ProblemResponse {
  readonly headers: object
  readonly content?: Readonly<Record<string, { readonly example: { readonly code: string } }>>
}

const description: { components: { responses: Readonly<Record<string, ProblemResponse>> } } = JSON.parse(
  readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8'),
)
/** The headers that problems may have by the description of the API, which has none of a method that a path lacks. */
const described = new Map(
  Object.values(description.components.responses).map(({ headers, content }) => [
    content?.['application/problem+json']?.example.code,
    Object.keys(headers).map((name) => name.toLowerCase()),
  ]),
)
/** Of every answer. */
const usual = ['connection', 'content-length', 'content-type', 'date', 'keep-alive']

/** Problem details, RFC 9457, of this code; where pointers are given, just these. */
export function expectProblem(reply: Reply, code: string, pointers?: readonly string[]): void {
  const [status, title] = titles[code] ?? [0, '']
  expect([reply.status, reply.text.includes(`"code":"${code}"`)], reply.text).toEqual([status, true])
  expect(reply.headers['content-type']).toBe('application/problem+json')
  expect(reply.headers['cache-control']).toBe('no-store')
  expect(reply.text).not.toMatch(internal)
  const headers = described.get(code)
  if (headers) expect([...usual, ...headers]).toEqual(expect.arrayContaining(Object.keys(reply.headers)))
  const { errors, ...rest } = reply.json
  expect(rest).toEqual({
    type: 'about:blank',
    title,
    status,
    code,
    trace_id: reply.traceId,
    detail: expect.any(String),
  })
  if (errors !== undefined) {
    expect(errors).toEqual(
      expect.arrayContaining([
        { pointer: expect.any(String), message: expect.stringMatching(/^(is|has|must) /) },
      ]),
    )
  }
  if (pointers) expect(pointersOf(reply)).toEqual([...pointers].sort())
}

export function pointersOf(reply: Reply): string[] {
  const { errors } = reply.json
  return Array.isArray(errors) ? errors.map((one: { pointer?: unknown }) => String(one.pointer)).sort() : []
}

/** What the tests say often. */
export class Api {
  readonly target: Target
  readonly service: Service

  constructor(target: Target, service: Service) {
    this.target = target
    this.service = service
  }

  get(path = '', headers: Sent['headers'] = {}): Promise<Reply> {
    return this.send('GET', path, { headers })
  }

  /** A path that begins with `?` or `/` goes behind the service's own. */
  send(method: string, path = '', sent: Sent = {}): Promise<Reply> {
    return this.target.request(method, `${this.service.path}${path}`, sent)
  }

  post(body: Sent['body'], headers: Sent['headers'] = {}): Promise<Reply> {
    return this.send('POST', '', { body, headers: { ...json, ...headers } })
  }

  put(id: string, body: Sent['body'], headers: Sent['headers'] = {}): Promise<Reply> {
    return this.send('PUT', `/${id}`, { body, headers: { ...json, ...headers } })
  }

  patch(id: string, body: Sent['body'], headers: Sent['headers'] = {}): Promise<Reply> {
    return this.send('PATCH', `/${id}`, { body, headers: { ...mergePatch, ...headers } })
  }

  delete(id: string, headers: Sent['headers'] = {}): Promise<Reply> {
    return this.send('DELETE', `/${id}`, { headers })
  }

  /** A new one. */
  async create(more: object = {}): Promise<Reply> {
    const reply = await this.post(this.service.make(more))
    expect(reply.status, reply.text).toBe(201)
    return reply
  }
}
