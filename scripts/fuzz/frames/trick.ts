import fc from 'fast-check'
import type { Message } from '../render.ts'
import type { Shot } from '../shot.ts'

/** Makes of a well-framed request one whose framing is broken, unusual or a trap. */
export type Trick = readonly [name: string, play: (message: Message) => Shot]

interface Framing {
  readonly line?: string
  readonly headers?: readonly string[]
  readonly body?: string
  /** Behind the request, on the same connection. */
  readonly tail?: string
  readonly end?: string
}

/** The bytes of a request with another framing; its own goes where `headers` give one. */
export function framed(
  message: Message,
  { line, headers = [], body, tail = '', end = '\r\n' }: Framing,
): string {
  const { method, target } = message
  const content = body ?? message.body ?? ''
  const own = headers.some((one) => /^\s*(content-length|transfer-encoding)/i.test(one))
  const lines = [
    line ?? `${method} ${target} HTTP/1.1`,
    ...message.headers,
    ...headers,
    ...(own || content === '' ? [] : [`Content-Length: ${content.length}`]),
    '',
    '',
  ]
  return lines.join(end) + content + tail
}

/** Of a head that nobody may understand, a refusal has a body whatever its method was. */
export const asGet = (message: Message): Message =>
  message.method === 'HEAD' ? { ...message, method: 'GET', ask: { ...message.ask, method: 'GET' } } : message

export function shot(message: Message, bytes: string | readonly string[], more: Partial<Shot> = {}): Shot {
  const pieces = typeof bytes === 'string' ? [bytes] : bytes
  return {
    family: 'framing',
    pieces,
    pause: 1,
    ends: false,
    asks: [{ ...message.ask, worth: 'unknown' }],
    ...more,
  }
}

/** Bytes that nobody meant. */
export function noise(maxLength: number): fc.Arbitrary<string> {
  return fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'))
}
