import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { type Code, causes } from '../../shared/errors.ts'
import { problem } from '../../shared/http/problem.ts'
import { type Activator, type Instance, StartError } from './activator.ts'
import type { Reply } from './body.ts'
import { returnedHeaders } from './forwarding.ts'
import { TooBusy } from './turnstile.ts'

export interface Outgoing {
  readonly method: string
  /** As the client sent it, query included. */
  readonly url: string
  readonly headers: readonly string[]
  readonly body: Buffer
  readonly traceId: string
}

/** What a function answered, or a problem of the gateway's own. */
export interface Forwarded {
  readonly reply: Reply
  readonly own: boolean
  /** What happened, for the log alone. */
  readonly cause?: string
}

/**
 * Hands a request to its function and waits for the whole answer, so that a death halfway is still a clean problem.
 * What can safely be repeated is tried once more on a new process.
 */
export async function forward(activator: Activator, request: Outgoing): Promise<Forwarded> {
  const { method, traceId } = request
  const safe = method === 'GET' || method === 'HEAD'
  for (let attempt = 1; ; attempt++) {
    try {
      const reply = await activator.use(
        (instance) => instance.process.exchange(() => exchange(activator, instance, request, safe)),
        ({ status }) => status < 500,
      )
      return { reply, own: false }
    } catch (error) {
      const cause = causes(error).join('; ')
      const fail = (code: Code, detail: string, headers = {}): Forwarded => ({
        reply: problem(code, { detail, headers, traceId }),
        own: true,
        cause,
      })
      if (error instanceof StartError) {
        return fail('unavailable', 'the function could not be started', { 'retry-after': '1' })
      }
      if (error instanceof TooBusy) {
        return fail('unavailable', 'the function has more to do than it can', { 'retry-after': '1' })
      }
      const code = codeOf(error)
      if (isTimeout(code)) return fail('deadline_exceeded', 'the function did not answer in time')
      if (code === 'UND_ERR_INVALID_ARG') return fail('malformed', 'the request cannot be forwarded')
      // What never reached a process may be repeated whatever it is.
      const repeatable = safe || code === 'ECONNREFUSED' || error instanceof GoneError
      if (!repeatable || attempt === 2)
        return fail('bad_gateway', 'the function ended before it had answered')
    }
  }
}

/** The process was found dead before anything was sent to it. */
class GoneError extends Error {
  override readonly name = 'GoneError'
}

async function exchange(
  activator: Activator,
  { process, pool }: Instance,
  { method, url, headers, body }: Outgoing,
  safe: boolean,
): Promise<Reply> {
  if (!safe) {
    // A death that has happened but was not told yet: what is sent into it could not be repeated.
    await setImmediate()
    if (process.isDying()) {
      activator.renew(process)
      throw new GoneError('gone')
    }
  }
  try {
    const sent = body.length > 0 ? body : null
    const reply = await pool.request({ path: url, method, headers: [...headers], body: sent })
    const content = Buffer.from(await reply.body.arrayBuffer())
    const returned = returnedHeaders(reply.headers)
    const length = reply.headers['content-length']
    if (method === 'HEAD' && length !== undefined) returned['content-length'] = length
    const { statusCode: status } = reply
    const empty = method === 'HEAD' || status === 204 || status === 304
    return { status, headers: returned, ...(empty ? {} : { body: content }) }
  } catch (error) {
    const code = codeOf(error)
    if (isTimeout(code)) void process.killIfHung()
    else if (code !== 'UND_ERR_INVALID_ARG') {
      // A socket closes a moment before its process is known to be gone.
      if (code !== 'ECONNREFUSED') await Promise.race([process.exited, sleep(100)])
      // It may be draining, because somebody else asked it to end: it answers what it has, and listens no more.
      if (code === 'ECONNREFUSED' || process.isDying()) activator.renew(process)
    }
    throw error
  }
}

const isTimeout = (code: string | undefined): boolean =>
  code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
