import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from 'node:http2'

/** An answer as it came over the wire: messages without their frames, and the trailers' status. */
export interface WireAnswer {
  readonly messages: readonly Buffer[]
  readonly status: string | undefined
  readonly headers: IncomingHttpHeaders
}

/** gRPC by hand over HTTP/2 without TLS: what any client sends, without one that sees to deadlines by itself. */
export class H2c implements AsyncDisposable {
  readonly #session: ClientHttp2Session

  constructor(url: string) {
    this.#session = connect(url)
    this.#session.on('error', () => {})
  }

  open(path: string, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
    return this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
  }

  /** One message there and all that comes back. */
  async call(
    path: string,
    message: Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ): Promise<WireAnswer> {
    const stream = this.open(path, headers)
    stream.end(frame(message))
    let first: IncomingHttpHeaders = {}
    let trailers: IncomingHttpHeaders = {}
    stream.on('response', (received) => {
      first = received
    })
    stream.on('trailers', (received) => {
      trailers = received
    })
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(stream, 'end')
    // An error without a message has its status in the only headers that there are.
    const status = trailers['grpc-status'] ?? first['grpc-status']
    return { messages: unframe(Buffer.concat(chunks)), status: status?.toString(), headers: first }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.destroy()
  }
}

export function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

export function unframe(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1)
    messages.push(bytes.subarray(at + 5, end))
    at = end
  }
  return messages
}
