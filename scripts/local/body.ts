import type { IncomingMessage, ServerResponse } from 'node:http'
import { askForBody } from '../../shared/http/continue.ts'
import { answerUnread } from '../../shared/http/linger.ts'
import { bodyLimit } from '../../shared/http/message.ts'

export const noBody = Buffer.alloc(0)

/** An answer of the gateway or of a function. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body?: string | Uint8Array
}

/** More than the limit came, or is announced. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}

export function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
}

/** The whole body, asked for where the client waits for that; gives up at the first byte beyond the limit. */
export function readBody(req: IncomingMessage, res: ServerResponse): Promise<Buffer> {
  if (!hasBody(req)) return Promise.resolve(noBody)
  if (Number(req.headers['content-length'] ?? 0) > bodyLimit) return Promise.reject(new BodyTooLarge())
  askForBody(req, res)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > bodyLimit) {
        req.removeAllListeners('data')
        reject(new BodyTooLarge())
      } else chunks.push(chunk)
    })
    req.once('end', () => resolve(Buffer.concat(chunks)))
    req.once('error', reject)
    req.once('close', () => reject(new Error('the client went away')))
  })
}

/** Answers; when the request is not read to its end, in a way that lets the client come to read the answer. */
export function answer(req: IncomingMessage, res: ServerResponse, { status, headers, body }: Reply): void {
  if (res.headersSent || res.destroyed) return
  const content = typeof body === 'string' ? Buffer.from(body) : body
  const length = content === undefined ? {} : { 'content-length': String(content.byteLength) }
  const shown = req.method === 'HEAD' ? undefined : content
  if (!req.complete && hasBody(req)) {
    answerUnread(req, res, status, { ...headers, ...length }, shown)
    return
  }
  res.writeHead(status, { ...headers, ...length })
  res.end(shown)
}
