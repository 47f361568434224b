import { randomBytes } from 'node:crypto'
import { ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

const answers: Readonly<
  Record<string, readonly [status: number, code: string, title: string, detail: string]>
> = {
  HPE_HEADER_OVERFLOW: [431, 'malformed', 'Malformed request', 'the headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'malformed', 'Malformed request', 'the request did not come in time'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    413,
    'payload_too_large',
    'Payload too large',
    'the chunk extensions are too large',
  ],
}

/**
 * Answers what is no HTTP, or not in time, as a server's `clientError`; a connection whose answer has begun is closed,
 * behind it where it will be whole.
 */
export function malformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  const pending = answerOn(socket)
  // What comes behind a whole request takes no answer away: a write that is done must not be told to be malformed.
  if (pending?.req.complete && socket.writable) {
    if (pending.shouldKeepAlive) pending.once('finish', () => socket.end())
    pending.shouldKeepAlive = false
    return
  }
  if (error.code === 'ECONNRESET' || !socket.writable || pending?.headersSent) {
    socket.destroy()
    return
  }
  const [status, code, title, detail] = answers[error.code ?? ''] ?? [
    400,
    'malformed',
    'Malformed request',
    'this is not HTTP',
  ]
  const traceId = randomBytes(16).toString('hex')
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, code, trace_id: traceId })
  const headers = [
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('\r\n')}\r\n\r\n${takesNoBody(pending) ? '' : body}`,
  )
}

/** Whether what is answered is a HEAD, by the response: its request has another method while it is kept from a framework. */
function takesNoBody(pending: ServerResponse | undefined): boolean {
  return pending !== undefined && Reflect.get(pending, '_hasBody') === false
}

/** The answer to the request that is on a connection, if its head came whole: where Node's own `clientError` looks for it. */
function answerOn(socket: Duplex): ServerResponse | undefined {
  const found: unknown = Reflect.get(socket, '_httpMessage')
  return found instanceof ServerResponse ? found : undefined
}
