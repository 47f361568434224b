import type { Server } from 'node:net'

/** Connections that wait to be accepted; Node's own 511 are fewer than a burst brings. Linux takes 4096 at most, unless told. */
export const backlog = 4096

/**
 * Listens where it is told, by default on every interface. Node resolves the host of `listen`, an address too, and looks
 * whether it is one of IPv6 by a regular expression that takes milliseconds to compile: a tenth of a cold start on
 * loopback. `_listen2` is what comes after that, in Node since its first versions; without it, or for any other host, `listen` it is.
 */
export function listen(server: Server, port: number, host: string | undefined): void {
  if (host === undefined) {
    server.listen({ port, backlog })
    return
  }
  const direct: unknown = host === '127.0.0.1' ? Reflect.get(server, '_listen2') : undefined
  if (typeof direct === 'function') direct.call(server, host, port, 4, backlog)
  else server.listen({ port, host, backlog })
}
