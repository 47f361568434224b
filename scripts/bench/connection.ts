import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  /** The status line and the headers, as they came. */
  readonly head: string
  readonly body: Buffer
}

export type Taker = (error: Error | undefined, answer: Answer | undefined) => void

/**
 * HTTP/1.1 over one kept connection, one request at a time, by hand: a generator that costs more than the hello server
 * measures itself. It understands answers with a Content-Length, as all of ours are that have a body.
 */
export class Connection implements Disposable {
  readonly #socket: Socket
  #taker: Taker | undefined
  #rest: Buffer | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => this.#settle(new Error('the connection was closed'), undefined))
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Connection(socket))
      })
    })
  }

  exchange(request: Buffer | string, taker: Taker): void {
    this.#taker = taker
    if (this.#socket.destroyed) this.#settle(new Error('the connection was closed'), undefined)
    else this.#socket.write(request)
  }

  request(request: Buffer | string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.exchange(request, (error, answer) => (answer ? resolve(answer) : reject(error)))
    })
  }

  [Symbol.dispose](): void {
    this.#taker = undefined
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk
    this.#rest = bytes
    const end = bytes.indexOf(headEnd)
    if (end < 0) return
    const head = bytes.toString('latin1', 0, end)
    const status = Number(head.slice(9, 12))
    const length = status === 204 ? 0 : contentLength.exec(head)?.[1]
    const whole = end + headEnd.length + Number(length)
    if (bytes.length < whole) return
    this.#rest = undefined
    // Of one without a length, or with something behind it, nobody knows where it ends.
    if (bytes.length !== whole) this.#settle(new Error(`an answer (${status}) of unclear length`), undefined)
    else this.#settle(undefined, { status, head, body: bytes.subarray(end + headEnd.length) })
  }

  #settle(error: Error | undefined, answer: Answer | undefined): void {
    const taker = this.#taker
    this.#taker = undefined
    taker?.(error, answer)
  }
}

const headEnd = Buffer.from('\r\n\r\n')
const contentLength = /\r\ncontent-length: (\d+)/i

export interface Sent {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A request as it goes over the wire. */
export function requestOf({ method, path, headers = {}, body }: Sent): string {
  const all = {
    host: '127.0.0.1',
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
}
