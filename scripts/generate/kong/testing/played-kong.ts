import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { answerUnread } from '../../../../shared/http/linger.ts'
import { bodyLimit } from '../../../../shared/http/message.ts'
import { type Exchange, type Exchanged, type Phases, played, player } from './lua.ts'
import { literal } from './lua-literal.ts'
import { kongRouter, normalized } from './router.ts'
import type { KongFile } from './schema.ts'

export interface PlayedOptions {
  readonly file: KongFile
  readonly phases: Phases
  readonly keyNames: readonly string[]
  readonly key: string
  /** A gateway that stands for all functions, and takes the same key. */
  readonly upstream: URL
  /** The upstream is an ingress instead, which knows each function by the host of its service's URL. */
  readonly byHost?: boolean
}

/**
 * A server that does with kong.yml and kong/lua what Kong is documented to do, where no Kong is to be had: its router as
 * router.ts has it, its plugins as exchange.lua plays them, and what nginx refuses before either.
 */
export class PlayedKong implements AsyncDisposable {
  readonly #options: PlayedOptions
  readonly #find: ReturnType<typeof kongRouter>
  readonly #lua: ChildProcess
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true })
  readonly #waiting = new Map<number, (told: Exchanged) => void>()
  #next = 0

  constructor(options: PlayedOptions) {
    this.#options = options
    this.#find = kongRouter(options.file)
    this.#lua = spawn('luajit', [player], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#tell(options.phases)
    const { stdout } = this.#lua
    if (!stdout) throw new Error('no output')
    createInterface({ input: stdout }).on('line', (line) => {
      const told: Exchanged & { id: number } = JSON.parse(line)
      this.#waiting.get(told.id)?.(told)
    })
    this.#server = createServer({ requireHostHeader: false })
    const serve = (req: IncomingMessage, res: ServerResponse): void => {
      this.#serve(req, res).catch((error: unknown) => res.destroy(error instanceof Error ? error : undefined))
    }
    this.#server.on('request', serve).on('checkExpectation', serve)
    this.#server.on('checkContinue', (req, res) => {
      // As nginx does, whose plugins read bodies.
      if (Number(req.headers['content-length'] ?? 0) <= bodyLimit) res.writeContinue()
      serve(req, res)
    })
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #tell(value: object): void {
    this.#lua.stdin?.write(`${literal(value)}\n`)
  }

  #ask(id: number, value: object): Promise<Exchanged> {
    return new Promise((resolve) => {
      this.#waiting.set(id, (told) => {
        this.#waiting.delete(id)
        resolve(told)
      })
      this.#tell({ id, ...value })
    })
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = req
    const [rawPath = '', query = ''] = split(url)
    const body = await bodyOf(req)
    const { key, keyNames } = this.#options
    const choice = this.#find(method, rawPath)
    const plugins = choice?.route.plugins ?? []
    const refusal = plugins.find(({ name }) => name === 'post-function')?.config['access']
    const headers = Object.fromEntries(
      Object.entries(req.headers).map(([name, value]) => [name, String(value)]),
    )
    const refused = /%00|%(?![\da-f]{2})/i.test(rawPath)
      ? 400
      : body === undefined
        ? 413
        : choice
          ? undefined
          : 404
    const exchange: Exchange = {
      method,
      rawPath,
      path: normalized(rawPath),
      query,
      headers,
      body: body?.toString('latin1'),
      ...(plugins.some(({ name }) => name === 'key-auth') ? { keys: [key] } : {}),
      ...(Array.isArray(refusal) ? { refusal } : {}),
      ...(refused === undefined ? {} : { refused }),
    }
    const id = this.#next++
    let told = await this.#ask(id, played(exchange, keyNames, randomBytes(16).toString('hex')))
    if (told.status === undefined && told.upstream) {
      told = await this.#ask(id, await this.#forward(req, exchange.path, told.upstream, choice?.service))
    }
    const content = method === 'HEAD' ? undefined : Buffer.from(told.body, 'latin1')
    // nginx, too, reads on for a while, so that who still sends comes to read the answer.
    if (!req.complete) return answerUnread(req, res, told.status, told.headers, content)
    res.writeHead(told.status, told.headers)
    res.end(content)
  }

  async #forward(
    req: IncomingMessage,
    path: string,
    { headers, query, body }: NonNullable<Exchanged['upstream']>,
    service: string | undefined,
  ) {
    const { upstream, key, byHost, file } = this.#options
    const host = new URL(file.services.find(({ name }) => name === service)?.url ?? upstream.href).host
    const { connection: _, expect: __, 'transfer-encoding': ___, 'content-length': ____, ...passed } = headers
    const payload = Buffer.from(body ?? '', 'latin1')
    // Headers that came more than once stay so.
    const repeated = Object.fromEntries(
      Object.entries(req.headersDistinct).filter(
        ([name, values]) => name in passed && (values?.length ?? 0) > 1,
      ),
    )
    const sent = request({
      hostname: upstream.hostname,
      port: upstream.port,
      agent: this.#agent,
      method: req.method,
      path: encoded(path) + (query ? `?${query}` : ''),
      headers: {
        ...passed,
        ...repeated,
        ...(payload.length > 0 || 'content-length' in headers ? { 'content-length': payload.length } : {}),
        ...(byHost ? { host } : { 'x-api-key': key }),
      },
    })
    sent.end(payload)
    const [response]: IncomingMessage[] = await once(sent, 'response')
    if (!response) throw new Error('no answer')
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    const { connection: _c, 'keep-alive': _k, 'transfer-encoding': _t, ...own } = response.headers
    const flat = Object.fromEntries(Object.entries(own).map(([name, value]) => [name, String(value)]))
    return { status: response.statusCode ?? 0, headers: flat, body: Buffer.concat(chunks).toString('latin1') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    this.#agent.destroy()
    const ended = once(this.#lua, 'exit')
    this.#lua.stdin?.end()
    await ended
  }
}

/** The body, or nothing where it is more than nginx lets through. */
async function bodyOf(req: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(req.headers['content-length'] ?? 0) > bodyLimit) return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    size += chunk.length
    if (size > bodyLimit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function split(url: string): [path: string, query: string] {
  const at = url.indexOf('?')
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)]
}

/** As Kong writes a path for its upstream (kong/tools/uri.lua, escape). */
const encoded = (path: string): string =>
  path.replaceAll(/[^!-~]/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`)
