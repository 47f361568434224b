import { randomBytes } from 'node:crypto'
import {
  type Agent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http'
import { request as httpsRequest } from 'node:https'

export interface Sent {
  readonly headers?: OutgoingHttpHeaders
  /** Objects are sent as JSON, iterables in chunks, the rest as it is. */
  readonly body?: string | Uint8Array | object | AsyncIterable<Uint8Array> | undefined
}

/** What the suite runs against: everything that serves the HTTP contract. */
export interface Target extends AsyncDisposable {
  readonly name: string
  request(method: string, path: string, sent?: Sent): Promise<Reply>
}

/** An answer, read to its end. */
export class Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  /** The trace id of the `traceparent` that was sent. */
  readonly traceId: string
  /** Whether a body that waited for it (`Expect: 100-continue`) was asked for. */
  readonly continued: boolean

  constructor(
    status: number,
    headers: IncomingHttpHeaders,
    bytes: Buffer,
    traceId: string,
    continued = false,
  ) {
    this.status = status
    this.headers = headers
    this.bytes = bytes
    this.traceId = traceId
    this.continued = continued
  }

  get text(): string {
    return this.bytes.toString()
  }

  get json(): Json {
    const value: unknown = JSON.parse(this.text)
    return record(value)
  }

  /** The one that `data` is. */
  get one(): Json {
    return record(this.json['data'])
  }

  get many(): Json[] {
    const data = this.json['data']
    if (!Array.isArray(data)) throw new Error(`not a list: ${this.text.slice(0, 200)}`)
    return data.map(record)
  }

  get id(): string {
    return String(this.one['id'])
  }

  get etag(): string {
    return this.headers.etag ?? ''
  }

  get nextCursor(): string | null {
    const cursor = this.json['next_cursor']
    return cursor === null ? null : String(cursor)
  }
}

export type Json = Readonly<Record<string, unknown>>

function record(value: unknown): Json {
  if (typeof value !== 'object' || value === null) throw new Error(`not an object: ${JSON.stringify(value)}`)
  return value as Json
}

/** Longest that any answer may take: a hang fails with what was asked. */
const patience = 20_000

/**
 * One request to a server, by the port that it has on loopback or by its origin, raw: paths and headers leave as they are
 * given. With `expect`, the body waits for its 100.
 */
export function exchange(
  server: number | URL,
  agent: Agent,
  method: string,
  path: string,
  { headers = {}, body }: Sent = {},
): Promise<Reply> {
  const traceId = randomBytes(16).toString('hex')
  const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-01`
  const payload = bytesOf(body)
  const length = payload instanceof Uint8Array ? { 'content-length': payload.length } : {}
  return new Promise((resolve, reject) => {
    const at = typeof server === 'number' ? { hostname: '127.0.0.1', port: server } : originOf(server)
    const request = (server instanceof URL && server.protocol === 'https:' ? httpsRequest : httpRequest)({
      ...at,
      agent,
      method,
      path,
      headers: { traceparent, ...length, ...headers },
      timeout: patience,
    })
    request.once('response', (response) => {
      // What breaks from here on is the sending, which the server need not have waited for.
      request.off('error', reject).on('error', () => {})
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () => {
        const { statusCode = 0, headers } = response
        resolve(new Reply(statusCode, headers, Buffer.concat(chunks), traceId, continued))
        // Else it would wait for its 100 for ever.
        if (waits && !continued) request.destroy()
      })
      response.once('error', reject)
    })
    request.once('error', reject)
    request.once('timeout', () =>
      request.destroy(new Error(`${method} ${path}: no answer within ${patience} ms`)),
    )
    const send = (): void => {
      if (payload === undefined || payload instanceof Uint8Array) request.end(payload)
      else void pour(payload, request)
    }
    let continued = false
    request.once('continue', () => {
      continued = true
      if (waits) send()
    })
    const waits = headers['expect'] === '100-continue'
    if (waits) request.flushHeaders()
    else send()
  })
}

function originOf({ hostname, port }: URL): { hostname: string; port?: string } {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return port === '' ? { hostname: host } : { hostname: host, port }
}

function bytesOf(body: Sent['body']): Uint8Array | AsyncIterable<Uint8Array> | undefined {
  if (body === undefined || body instanceof Uint8Array) return body
  if (typeof body === 'string') return Buffer.from(body)
  if (Symbol.asyncIterator in body) return body
  return Buffer.from(JSON.stringify(body))
}

async function pour(
  chunks: AsyncIterable<Uint8Array>,
  request: ReturnType<typeof httpRequest>,
): Promise<void> {
  for await (const chunk of chunks) {
    if (request.destroyed) return
    request.write(chunk)
  }
  request.end()
}
