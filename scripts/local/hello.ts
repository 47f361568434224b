import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** The smallest question of a protocol, where its servers do not speak first, and how one tells their answer. In Latin-1. */
export interface Hello {
  readonly asks?: string
  readonly isAnswer: (heard: string) => boolean
  /** From the first byte on. */
  readonly tls?: boolean
}

export const hellos = {
  // SSLRequest: one letter says whether it speaks TLS.
  postgres: { asks: '\0\0\0\x08\x04\xd2\x16\x2f', isAnswer: (heard) => /^[SN]$/.test(heard) },
  // OP_MSG { hello: 1, $db: 'admin' }, and another OP_MSG whatever it says.
  mongodb: {
    asks:
      '\x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0' +
      '\x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0',
    isAnswer: (heard) => heard.startsWith('\xdd\x07\0\0', 12),
  },
  // One that asks for a password first is Redis, too.
  redis: { asks: '*1\r\n$4\r\nPING\r\n', isAnswer: (heard) => /^(\+PONG|-[A-Z]+ )/.test(heard) },
  // Before its TLS, if it has any.
  nats: { isAnswer: (heard) => heard.startsWith('INFO {') },
} as const satisfies Record<string, Hello>

/** Somebody takes connections, and does not answer in this protocol. */
export class Stranger extends Error {
  override readonly name = 'Stranger'
}

/** Bytes after which an answer is known for what it is. */
const enough = 32

/**
 * Greets a server before a driver does: drivers meet strangers with texts of their inside, with silence, or with one
 * try after another for ever. Fails with a `Stranger`, or with the error of a connection that nobody took.
 */
export function greet(
  host: string,
  port: number,
  { asks, isAnswer, tls = false }: Hello,
  timeout: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // Whom a certificate is for is the driver's to check.
    const socket = tls
      ? connectTls({ host, port, rejectUnauthorized: false })
      : connect({ host, port, noDelay: true })
    let reached = false
    let heard = ''
    const end = (error?: Error): void => {
      clearTimeout(late)
      socket.destroy()
      if (error) reject(error)
      else resolve()
    }
    const late = setTimeout(() => {
      end(reached ? new Stranger() : Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))
    }, timeout)
    socket.setEncoding('latin1')
    socket.once('connect', () => {
      reached = true
    })
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      if (asks !== undefined) socket.write(asks, 'latin1')
    })
    socket.on('data', (chunk: string) => {
      heard += chunk
      if (isAnswer(heard)) end()
      else if (heard.length >= enough) end(new Stranger())
    })
    socket.on('error', (error) => end(reached ? new Stranger() : error))
    socket.on('close', () => end(new Stranger()))
  })
}
