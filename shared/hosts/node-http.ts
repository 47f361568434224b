import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Failure } from '../errors.ts'
import { bodyLimit, type HttpRequest, type HttpResponse } from '../http/message.ts'
import type { HttpApp } from './http-app.ts'
import { operational } from './operational.ts'

/** Serves an app on a native server: what the images and the local run use. */
export function nodeHttpServer(app: Promise<HttpApp> | HttpApp): Server {
  const server = createServer({ keepAliveTimeout: 75_000, requestTimeout: 30_000 }, (incoming, outgoing) => {
    void serve(app, incoming, outgoing)
  })
  return server
}

async function serve(app: Promise<HttpApp> | HttpApp, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const target = incoming.url ?? '/'
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const own = await operational(path)
  if (own) return send(incoming, outgoing, own)
  const request: HttpRequest = {
    method: incoming.method ?? 'GET',
    path,
    query: mark < 0 ? '' : target.slice(mark + 1),
    headers: incoming.headers,
    body: () => readBody(incoming),
  }
  send(incoming, outgoing, await (app instanceof Promise ? await app : app)(request))
}

function readBody(incoming: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > bodyLimit) {
        incoming.pause()
        reject(new Failure('payload_too_large', { detail: `the body may have at most ${bodyLimit / 1024} KB` }))
      } else chunks.push(chunk)
    })
    incoming.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    incoming.on('error', (cause) => reject(new Failure('malformed', { detail: 'the body broke off', cause })))
  })
}

function send(incoming: IncomingMessage, outgoing: ServerResponse, { status, headers, body }: HttpResponse): void {
  if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body))
  // A body that nobody read would be taken for the next request.
  if (!incoming.complete && incoming.method !== 'GET' && incoming.method !== 'HEAD') headers['connection'] = 'close'
  outgoing.writeHead(status, headers)
  outgoing.end(incoming.method === 'HEAD' ? undefined : body)
  if (headers['connection'] === 'close') {
    // Reads on for a moment: a reset would take the answer from a client that is still sending.
    incoming.resume()
    setTimeout(() => incoming.destroy(), 1000).unref()
  }
}
