import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { problem } from '../../shared/http/problem.ts'
import type { Activator } from './activator.ts'
import type { KeyAuth } from './auth.ts'
import { answer, BodyTooLarge, noBody, type Reply, readBody } from './body.ts'
import { forwardedHeaders, type Trace, traceOf } from './forwarding.ts'
import { listenLocally } from './listen.ts'
import { malformed } from './malformed.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Output } from './output.ts'
import { forward } from './proxy.ts'
import { type GatewayPath, type GatewayRoutes, matchPath } from './routes.ts'

export interface GatewayOptions {
  readonly routes: GatewayRoutes
  readonly auth: KeyAuth
  /** By slug. */
  readonly activators: ReadonlyMap<string, Activator>
  readonly metrics: GatewayMetrics
  /** The merged view, as Prometheus text. */
  readonly scrape: () => Promise<string>
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

/** The local stand-in for Kong and for the activator behind it. */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #servers: Server[] = []
  /** Connections with a request on them, and its answer. */
  readonly #answers = new Map<Duplex, ServerResponse>()
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
    // What nobody here knows how to expect is left aside, as RFC 9110 allows.
    server.on('checkExpectation', serve)
    server.on('clientError', (error, socket) =>
      malformed(error, socket, this.#answers.get(socket)?.headersSent ?? false),
    )
    this.#servers.push(server)
    return server
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const began = performance.now()
    const trace = traceOf(req)
    const { socket } = req
    this.#active++
    this.#answers.set(socket, res)
    res.once('close', () => {
      this.#active--
      if (this.#answers.get(socket) === res) this.#answers.delete(socket)
    })
    if (this.#draining) res.shouldKeepAlive = false
    try {
      const { response, slug, own, cause } = await this.#respond(req, trace)
      const name = slug === undefined ? undefined : this.#options.activators.get(slug)?.name.full
      this.#options.metrics.observe(name, response.status, performance.now() - began)
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

  async #respond(req: IncomingMessage, trace: Trace): Promise<Outcome> {
    const { traceId } = trace
    const { url = '', method = '' } = req
    const [path, query] = split(originForm(url))
    if (path === '/metrics' && (method === 'GET' || method === 'HEAD')) {
      const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }
      return { response: { status: 200, headers, body: await this.#options.scrape() }, own: false }
    }
    if (req.headers.host === undefined && req.httpVersion === '1.1') {
      return { response: problem('malformed', { detail: 'the header Host is missing', traceId }), own: true }
    }
    const found = matchPath(this.#options.routes, path)
    if (!found)
      return {
        response: problem('not_found', { detail: 'there is nothing at this path', traceId }),
        own: true,
      }
    const slug = found.methods.get(method) ?? [...found.methods.values()][0]
    try {
      const admitted = await this.#admit(req, found, query, traceId)
      if ('status' in admitted) return { response: admitted, slug, own: true }
      return await this.#dispatch(req, found, admitted.body, trace)
    } catch (error) {
      if (!(error instanceof BodyTooLarge)) throw error
      return {
        response: problem('payload_too_large', { detail: 'a body may have 64 KB', traceId }),
        slug,
        own: true,
      }
    }
  }

  /** The body without the key, or why not. */
  async #admit(
    req: IncomingMessage,
    { isPublic }: GatewayPath,
    query: string,
    traceId: string,
  ): Promise<{ body: Buffer } | Reply> {
    const { auth } = this.#options
    const refuse = (detail: string): Reply =>
      problem('unauthorized', { detail, headers: { 'www-authenticate': 'Key realm="registrar"' }, traceId })
    if (auth.inQuery(query)) return refuse('the key belongs in the header x-api-key, not in the query')
    const sent = auth.inHeader(req.headers)
    const json = auth.isJson(req.headers)
    if (!isPublic) {
      if (sent === undefined && !json) return refuse('the header x-api-key is missing')
      if (sent !== undefined && !auth.accepts(sent)) return refuse('this key is not known')
    }
    const whole = await readBody(req)
    const { key, body } = json && whole !== noBody ? auth.fromBody(whole) : { key: undefined, body: whole }
    if (isPublic || sent !== undefined || auth.accepts(key)) return { body }
    return refuse(key === undefined ? 'the header x-api-key is missing' : 'this key is not known')
  }

  async #dispatch(
    req: IncomingMessage,
    { methods, allow }: GatewayPath,
    body: Buffer,
    trace: Trace,
  ): Promise<Outcome> {
    const { traceId } = trace
    const { method = '', url = '' } = req
    this.#options.renew()
    const slug = methods.get(method)
    const activator = slug === undefined ? undefined : this.#options.activators.get(slug)
    if (method === 'OPTIONS')
      return { response: { status: 204, headers: { allow } }, slug: [...methods.values()][0], own: false }
    if (!activator) {
      const detail = 'this path does not have this method'
      const response = problem('method_not_allowed', { detail, headers: { allow }, traceId })
      return { response, slug: [...methods.values()][0], own: true }
    }
    const headers = forwardedHeaders(req, trace, this.#options.auth.names)
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
