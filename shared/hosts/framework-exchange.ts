import { subscribe } from 'node:diagnostics_channel'
import { IncomingMessage, Server, ServerResponse } from 'node:http'
import { malformed } from '../http/malformed.ts'
import { patience } from './node-http.ts'

/** A request as the server received it, its body unread, and its response. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const open = new Map<string, { readonly exchange: Exchange; readonly restore: () => void }>()
let count = 0

/**
 * The framework reads every body, up to 1 GB of it, and Express the path, before a function is invoked; what they cannot
 * read they answer themselves, in HTML and with a stack. So what they would read is taken off a request when it arrives,
 * and given back to the function: both see what a native server sees. The placeholder that the framework gets is a
 * CloudEvent without data, whose id is the claim check, so that it is right for either kind of function.
 */
export function keepFromFramework(): void {
  if (subscribed) return
  subscribe('net.server.socket', prepare)
  subscribe('http.server.request.start', conceal)
  subscribed = true
}

let subscribed = false
let latest: Server | undefined

/** The framework's server, once it has served something. */
export const servedBy = (): Server | undefined => latest

const prepared = new WeakSet<Server>()

/** Of a connection to the framework's server, before its first request: what is no HTTP is answered as native servers do. */
function prepare(message: unknown): void {
  const socket = typeof message === 'object' && message !== null && 'socket' in message && message.socket
  const server: unknown = typeof socket === 'object' && socket !== null && Reflect.get(socket, 'server')
  if (!(server instanceof Server) || prepared.has(server) || !servesExpress(server)) return
  prepared.add(server)
  Object.assign(server, patience, { requireHostHeader: false })
  server.on('clientError', malformed)
}

function conceal(message: unknown): void {
  if (!isStart(message)) return
  const { request, response, server } = message
  if (!servesExpress(server)) return
  latest = server
  const id = String(++count)
  const { method, url, headers } = request
  const restore = (): void => void Object.assign(request, { method, url, headers })
  open.set(id, { exchange: { request, response }, restore })
  response.once('close', () => open.delete(id))
  const placeholder = {
    'ce-id': id,
    'ce-type': 'registrar',
    'ce-source': 'registrar',
    'ce-specversion': '1.0',
    // Node itself looks at it, after this; `expect` it would answer before the function has seen the head.
    host: headers.host,
  }
  // With a body of its own it is not asked for one; without any, the framework's conversion of old events fails.
  Object.assign(request, { method: 'POST', url: '/', headers: placeholder, body: {} })
}

/** The exchange that a placeholder's id stands for, as it was. */
export function exchangeOf(id: unknown): Exchange {
  const found = open.get(String(id))
  if (!found) throw new Error('the request did not come through keepFromFramework')
  found.restore()
  return found.exchange
}

/** Those whose answer has not begun. */
export function unanswered(): Exchange[] {
  return [...open.values()].map(({ exchange }) => exchange).filter(({ response }) => !response.headersSent)
}

function isStart(message: unknown): message is Exchange & { readonly server: Server } {
  return (
    typeof message === 'object' &&
    message !== null &&
    'request' in message &&
    message.request instanceof IncomingMessage &&
    'response' in message &&
    message.response instanceof ServerResponse &&
    'server' in message &&
    message.server instanceof Server
  )
}

/** Native servers may live beside the framework's, in tests above all. */
function servesExpress(server: Server): boolean {
  return server.listeners('request').some((listener) => 'mountpath' in listener)
}
