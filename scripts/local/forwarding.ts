import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { parseTraceparent, startTrace } from '../../shared/tracing.ts'

const hopByHop = new Set([
  ...[
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
  ],
  ...['transfer-encoding', 'upgrade', 'expect', 'host', 'content-length'],
])
/** What only the gateway says: a client that sends it would speak in its name. */
const ours =
  /^(x-consumer-|x-credential-|x-anonymous-consumer$|x-forwarded-|x-real-ip$|forwarded$|x-request-id$|traceparent$)/

export interface Trace {
  readonly traceparent: string
  readonly traceId: string
  /** Whether it is the client's. */
  readonly given: boolean
}

export function traceOf(req: IncomingMessage): Trace {
  const sent = req.headers['traceparent']
  const traceparent = typeof sent === 'string' ? sent : undefined
  const parsed = parseTraceparent(traceparent)
  if (parsed && traceparent) return { traceparent, traceId: parsed.traceId, given: true }
  return { ...fresh(), given: false }
}

function fresh(): Omit<Trace, 'given'> {
  const { traceId, traceparent } = startTrace('gateway', 'server', undefined)
  return { traceId, traceparent }
}

/** The headers of a client's request as the function gets them, as a flat list that keeps repeated ones. */
export function forwardedHeaders(req: IncomingMessage, trace: Trace, keyNames: readonly string[]): string[] {
  const dropped = namedByConnection(req.headers['connection'])
  const headers: string[] = []
  for (let at = 0; at + 1 < req.rawHeaders.length; at += 2) {
    const name = req.rawHeaders[at]?.toLowerCase() ?? ''
    if (hopByHop.has(name) || dropped.has(name) || keyNames.includes(name) || ours.test(name)) continue
    if (name === 'tracestate' && !trace.given) continue
    headers.push(name, req.rawHeaders[at + 1] ?? '')
  }
  const client = req.socket.remoteAddress?.replace(/^::ffff:/, '') ?? ''
  const before = req.headers['x-forwarded-for']
  headers.push('x-forwarded-for', before ? `${before}, ${client}` : client, 'x-forwarded-proto', 'http')
  if (req.headers.host) headers.push('x-forwarded-host', req.headers.host)
  headers.push(
    'x-consumer-username',
    'registrar',
    'x-request-id',
    requestId(req),
    'traceparent',
    trace.traceparent,
  )
  return headers
}

function requestId(req: IncomingMessage): string {
  const sent = req.headers['x-request-id']
  return typeof sent === 'string' && /^[\w.:-]{1,128}$/.test(sent) ? sent : randomUUID()
}

function namedByConnection(connection: string | undefined): Set<string> {
  return new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()))
}

/** A function's headers as its client gets them. */
export function returnedHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[]> {
  const dropped = namedByConnection([headers['connection'] ?? ''].flat().join(','))
  const kept: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || hopByHop.has(name) || dropped.has(name)) continue
    kept[name] = value
  }
  return kept
}
