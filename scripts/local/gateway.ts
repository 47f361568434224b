import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Exposition } from '../../shared/exposition.ts'
import { onlyRead } from '../../shared/hosts/operational.ts'
import { waitsForContinue } from '../../shared/http/continue.ts'
import { hostProblem } from '../../shared/http/host-header.ts'
import { malformed } from '../../shared/http/malformed.ts'
import { problem, problemOf } from '../../shared/http/problem.ts'
import type { Activator } from './activator.ts'
import type { KeyAuth } from './auth.ts'
import { answer, BodyTooLarge, type Reply, readBody } from './body.ts'
import { forwardedHeaders, type Trace, traceOf } from './forwarding.ts'
import type { Heads } from './heads.ts'
import { listenLocally } from './listen.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Output } from './output.ts'
import { forward } from './proxy.ts'
import { type GatewayPath, type GatewayRoutes, matchPath } from './routes.ts'

export interface GatewayOptions {
  readonly routes: GatewayRoutes
  readonly auth: KeyAuth
  /** By slug. */
  readonly activators: ReadonlyMap<string, Activator>
  readonly heads: Heads
  readonly metrics: GatewayMetrics
  /** The merged view, as Prometheus text. */
  readonly scrape: (accept: string | undefined) => Promise<Exposition>
  /** Before each request to a function: those of old sources give way. */
  readonly renew: () => void
  readonly output: Output
}

/** An answer, and which function it concerns. */
interface Outcome {
  readonly response: Reply
  readonly slug?: string | undefined
  /** The gateway's own, which it logs: functions log theirs. */
  readonly own: boolean
  readonly cause?: string | undefined
}

/** A request on a path that there is. */
interface Asked {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly found: GatewayPath
  readonly path: string
  readonly query: string
  readonly trace: Trace
}

/** How long a gateway that stops goes on to accept, in milliseconds. */
const parting = 200

/** The local stand-in for Kong and for the activator behind it. */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #servers: Server[] = []
  #active = 0
  #draining = false

  constructor(options: GatewayOptions) {
    this.#options = options
  }

  /** Listens on loopback, both families where there are two; 0 takes any free port. */
  async listen(port: number): Promise<number> {
    return listenLocally(port, () => this.#server())
  }

  #server(): Server {
    const server = createServer({
      requestTimeout: 30_000,
      headersTimeout: 10_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 1000,
      // It is required all the same, but the answer shall be a problem.
      requireHostHeader: false,
    })
    const serve = (req: IncomingMessage, res: ServerResponse): void => void this.#serve(req, res)
    server.on('request', serve)
    // A body is asked for when it is read; what nobody here knows how to expect is left aside, as RFC 9110 allows.
    server.on('checkContinue', serve)
    server.on('checkExpectation', serve)
    server.on('clientError', malformed)
    this.#servers.push(server)
    return server
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const began = performance.now()
    const trace = traceOf(req)
    const { socket } = req
    this.#active++
    res.once('close', () => {
      this.#active--
    })
    if (this.#draining) res.shouldKeepAlive = false
    try {
      const { response, slug, own, cause } = await this.#respond(req, res, trace)
      const name = slug === undefined ? undefined : this.#options.activators.get(slug)?.name.full
      this.#options.metrics.observe(name, response.status, performance.now() - began, trace.traceId)
      if (own) this.#tell(req, response, trace, { function: name, cause })
      if (this.#draining) res.shouldKeepAlive = false
      answer(req, res, response)
    } catch (error) {
      // The client went away while it sent its body: nobody is there to be answered.
      if (req.destroyed || socket.destroyed) return
      const reason = error instanceof Error ? error.message : String(error)
      this.#options.output.event('error', 'gateway error', { error: reason, trace_id: trace.traceId })
      answer(req, res, problem('internal', { traceId: trace.traceId }))
    }
  }

  async #respond(req: IncomingMessage, res: ServerResponse, trace: Trace): Promise<Outcome> {
    const { traceId } = trace
    const { url = '', method = '' } = req
    const [path, query] = split(originForm(url))
    if (path === '/metrics') {
      return { response: await this.#scraped(method, traceId, req.headers.accept), own: false }
    }
    const wrong = hostProblem(req)
    if (wrong !== undefined) {
      return { response: problem('malformed', { detail: wrong, traceId }), own: true }
    }
    const found = matchPath(this.#options.routes, path)
    if (!found)
      return {
        response: problem('not_found', { detail: 'there is nothing at this path', traceId }),
        own: true,
      }
    const slug = found.methods.get(method) ?? [...found.methods.values()][0]
    const own = (response: Reply): Outcome => ({ response, slug, own: response.status >= 400 })
    const asked: Asked = { req, res, found, path, query, trace }
    try {
      const admitted = await this.#admit(asked)
      return 'status' in admitted ? own(admitted) : await this.#dispatch(asked, admitted.body)
    } catch (error) {
      if (!(error instanceof BodyTooLarge)) throw error
      return own(problem('payload_too_large', { detail: 'a body may have 64 KB', traceId }))
    }
  }

  async #scraped(method: string, traceId: string, accept: string | undefined): Promise<Reply> {
    const refused = onlyRead(method, () => traceId)
    if (refused) return refused
    const { contentType, text } = await this.#options.scrape(accept)
    return { status: 200, headers: { 'content-type': contentType, vary: 'accept' }, body: text }
  }

  /** The body without the key, or the answer of the gateway's own, before it asks for the body where that can be. */
  async #admit(asked: Asked): Promise<{ body: Buffer } | Reply> {
    const { req, res, found, query, trace } = asked
    const { auth } = this.#options
    const refuse = (detail: string): Reply =>
      problem('unauthorized', {
        detail,
        headers: { 'www-authenticate': 'Key realm="registrar"' },
        traceId: trace.traceId,
      })
    if (auth.inQuery(query)) return refuse('the key belongs in the header x-api-key, not in the query')
    const sent = auth.inHeader(req.headers)
    const json = auth.isJson(req.headers)
    if (!found.isPublic) {
      if (sent === undefined && !json) return refuse('the header x-api-key is missing')
      if (sent !== undefined && !auth.accepts(sent)) return refuse('this key is not known')
    }
    const known = found.isPublic || sent !== undefined
    const early = this.#withoutBody(asked)
    if (known && early) return early
    const whole = await readBody(req, res)
    const { key, body } = auth.fromBody(whole, { json, sent })
    if (known || auth.accepts(key)) return early ?? { body }
    return refuse(key === undefined ? 'the header x-api-key is missing' : 'this key is not known')
  }

  /** What there is to say whatever the body is. */
  #withoutBody({ req, found, path, query, trace: { traceId } }: Asked): Reply | undefined {
    const { activators, heads } = this.#options
    const { method = '', headers } = req
    const { methods, allow } = found
    if (method === 'OPTIONS') return { status: 204, headers: { allow } }
    const slug = methods.get(method)
    if (slug === undefined || !activators.has(slug)) {
      const detail = 'this path does not have this method'
      return problem('method_not_allowed', { detail, headers: { allow }, traceId })
    }
    // Its function would say the same, but only sees requests that came whole.
    const failure = waitsForContinue(req) ? heads(slug, { method, path, query, headers }) : undefined
    return failure && problemOf(failure, traceId)
  }

  async #dispatch({ req, found, trace }: Asked, body: Buffer): Promise<Outcome> {
    const { method = '', url = '' } = req
    this.#options.renew()
    const slug = found.methods.get(method) ?? ''
    const activator = this.#options.activators.get(slug)
    if (!activator) throw new Error(`there is no function ${slug}`)
    const headers = forwardedHeaders(req, trace, this.#options.auth.names)
    const { traceId } = trace
    const { reply, own, cause } = await forward(activator, {
      method,
      url: originForm(url),
      headers,
      body,
      traceId,
    })
    return { response: reply, slug, own, cause }
  }

  #tell(
    req: IncomingMessage,
    { status }: Reply,
    { traceId }: Trace,
    about: Readonly<Record<string, unknown>>,
  ): void {
    const level = status >= 500 ? 'error' : 'info'
    this.#options.output.event(level, 'refused', { ...about, method: req.method, status, trace_id: traceId })
  }

  /** Accepts nothing more, and waits until all that was accepted is answered, but not longer than this. */
  async drain(ms: number): Promise<void> {
    this.#draining = true
    // Who sends on a connection that was kept is answered, and told to keep it no longer, before those that are idle end.
    await new Promise((resolve) => setTimeout(resolve, parting))
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)))
    for (const server of this.#servers) server.closeIdleConnections()
    const deadline = Date.now() + ms
    while (this.#active > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
    for (const server of this.#servers) server.closeAllConnections()
    await Promise.all(closed)
  }
}

/** A request's target without an origin: whole URLs, too, are to be taken (RFC 9112, section 3.2.2). */
const originForm = (target: string): string => target.replace(/^https?:\/\/[^/?]*\/?/i, '/')

function split(url: string): [string, string] {
  const at = url.indexOf('?')
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)]
}
