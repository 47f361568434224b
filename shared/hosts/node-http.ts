import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Failure } from '../errors.ts'
import { askForBody } from '../http/continue.ts'
import { hostProblem } from '../http/host-header.ts'
import { answerUnread } from '../http/linger.ts'
import { malformed } from '../http/malformed.ts'
import { bodyLimit, type HttpRequest, type HttpResponse, header } from '../http/message.ts'
import { problem } from '../http/problem.ts'
import { traceIdOf } from '../tracing.ts'
import type { HttpApp } from './http-app.ts'
import { isDraining, operational } from './operational.ts'

/** In milliseconds. */
export const patience = {
  // Longer than those in front of it keep a connection: who ends it must be who sends.
  keepAliveTimeout: 75_000,
  // A client that sends a byte now and then is told that it took too long.
  headersTimeout: 10_000,
  requestTimeout: 30_000,
}

/** Serves an app on a native server: what the images and the local run use. */
export function nodeHttpServer(app: Promise<HttpApp> | HttpApp): Server {
  const server = createServer({
    ...patience,
    connectionsCheckingInterval: 2000,
    // No stream is run to its end for a body that is not there: of what a cached answer costs, the part that can be saved.
    optimizeEmptyRequests: true,
    // It is required all the same, but the answer shall be a problem.
    requireHostHeader: false,
  })
  // Once it is there nobody waits for its promise: that alone would put every answer off by a turn.
  let served = app
  if (app instanceof Promise) {
    const made = (it: HttpApp): void => {
      served = it
    }
    app.then(made, () => {})
  }
  server.on('clientError', malformed)
  // A body is asked for by who reads it; what nobody here knows how to expect is left aside, as RFC 9110 allows.
  for (const event of ['request', 'checkContinue', 'checkExpectation']) {
    server.on(event, (incoming: IncomingMessage, outgoing: ServerResponse) => {
      // An app answers its errors itself; without one there is nothing to say, and no reason to end the process.
      serveNodeHttp(served, incoming, outgoing).catch(() => outgoing.destroy())
    })
  }
  return server
}

/** Answers one request of Node's. */
export async function serveNodeHttp(
  app: Promise<HttpApp> | HttpApp,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const response = await answerNodeHttp(app, incoming, outgoing)
  // An answer that took no I/O comes before the parser is at the end of what has already arrived.
  if (!incoming.complete) await new Promise((resolve) => setImmediate(resolve))
  send(incoming, outgoing, response)
}

/** The answer to one request of Node's, not yet sent. */
export function answerNodeHttp(
  app: Promise<HttpApp> | HttpApp,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<HttpResponse> | HttpResponse {
  const request = neutralRequest(incoming, outgoing)
  const wrong = hostProblem(incoming)
  if (wrong !== undefined) return misaddressed(request, wrong)
  return operational(request) ?? (app instanceof Promise ? app.then((made) => made(request)) : app(request))
}

function misaddressed(request: HttpRequest, detail: string): HttpResponse {
  return problem('malformed', { detail, traceId: traceIdOf(header(request, 'traceparent')) })
}

export function neutralRequest(incoming: IncomingMessage, outgoing: ServerResponse): HttpRequest {
  const target = incoming.url ?? '/'
  const mark = target.indexOf('?')
  return {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? '' : target.slice(mark + 1),
    headers: incoming.headers,
    values: (name) => incoming.headersDistinct[name] ?? [],
    body: () => readBody(incoming, outgoing),
  }
}

function readBody(incoming: IncomingMessage, outgoing: ServerResponse): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const tooLarge = (): void =>
      reject(new Failure('payload_too_large', { detail: `the body may have at most ${bodyLimit / 1024} KB` }))
    if (Number(incoming.headers['content-length'] ?? 0) > bodyLimit) return tooLarge()
    askForBody(incoming, outgoing)
    // Of a request without a body: no event tells of its end.
    if (incoming.readableEnded) return resolve(new Uint8Array())
    const chunks: Buffer[] = []
    let size = 0
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= bodyLimit) chunks.push(chunk)
      else tooLarge()
    })
    incoming.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    incoming.on('error', (cause) => reject(new Failure('malformed', { detail: 'the body broke off', cause })))
  })
}

export function send(incoming: IncomingMessage, outgoing: ServerResponse, response: HttpResponse): void {
  const { status, headers, body } = response
  // Its caller keeps the connection for nothing more, and the drain does not wait for it.
  if (isDraining()) headers['connection'] = 'close'
  if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body))
  const shown = incoming.method === 'HEAD' ? undefined : body
  if (incoming.complete) {
    outgoing.writeHead(status, headers)
    outgoing.end(shown)
    return
  }
  answerUnread(incoming, outgoing, status, headers, shown)
}
