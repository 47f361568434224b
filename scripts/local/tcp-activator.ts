import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Activator, Instance } from './activator.ts'

/**
 * Activation below HTTP, for lookups: a listener whose connections are piped to the function's process, whatever they
 * speak (Connect over HTTP/1.1, gRPC over h2c). A process is idle when no byte has moved on its connections for long.
 */
export class TcpActivator implements AsyncDisposable {
  readonly #server: Server
  readonly #links = new Set<Link>()

  constructor(activator: Activator, timeout: number) {
    this.#server = createServer({ noDelay: true }, (client) => {
      const link = new Link(client, activator, timeout)
      this.#links.add(link)
      client.once('close', () => this.#links.delete(link))
    })
  }

  /** The URL under which other functions reach this one. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const sweep = setInterval(() => {
      for (const link of this.#links) link.closeWhenOverdue()
    }, 1000)
    sweep.unref()
    this.#server.once('close', () => clearInterval(sweep))
    return `http://127.0.0.1:${address.port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const link of this.#links) link.close()
    await closed
  }
}

interface Upstream {
  readonly socket: Socket
  readonly instance: Instance
}

/**
 * One connection of a caller. Between two HTTP/1.1 requests it may lose its process and get another for the next one;
 * h2c has state in both ends and ends with its process.
 */
class Link {
  readonly #client: Socket
  readonly #activator: Activator
  readonly #timeout: number
  readonly #waiting: Buffer[] = []
  #upstream: Upstream | undefined
  #attaching = false
  #attached = false
  #isHttp2: boolean | undefined
  /** Keeps the process up while it owes an answer. */
  #release: (() => void) | undefined
  #asked = 0

  constructor(client: Socket, activator: Activator, timeout: number) {
    this.#client = client
    this.#activator = activator
    this.#timeout = timeout
    client.on('data', (chunk: Buffer) => this.#toFunction(chunk))
    client.on('error', () => {})
    client.once('end', () => this.#upstream?.socket.end())
    client.once('close', () => {
      this.#upstream?.socket.destroy()
      this.#letGo()
    })
  }

  /** An HTTP/1.1 request that is never answered must not keep its process for ever. */
  closeWhenOverdue(): void {
    if (this.#release && !this.#isHttp2 && performance.now() - this.#asked > this.#timeout) this.close()
  }

  close(): void {
    this.#client.destroy()
  }

  #toFunction(chunk: Buffer): void {
    this.#isHttp2 ??= chunk.toString('latin1', 0, 3) === 'PRI'
    this.#asked = performance.now()
    const upstream = this.#attaching ? undefined : this.#upstream
    if (upstream?.socket.writable && this.#holds(upstream.instance)) {
      pipe(chunk, this.#client, upstream.socket)
      return
    }
    if (this.#isHttp2 && this.#attached) {
      // Another process could make nothing of what comes next.
      this.close()
      return
    }
    // Its process is about to end: this request goes to the next one.
    this.#upstream = undefined
    upstream?.socket.end()
    this.#waiting.push(chunk)
    if (!this.#attaching) void this.#attach()
  }

  /** Until the answer in HTTP/1.1; in h2c, where it is not seen, only the time of idleness begins anew. */
  #holds(instance: Instance): boolean {
    if (!this.#isHttp2) this.#release ??= instance.hold()
    else instance.hold()?.()
    return this.#isHttp2 === true || this.#release !== undefined
  }

  async #attach(): Promise<void> {
    this.#attaching = true
    this.#client.pause()
    try {
      const { instance, release } = await this.#activator.acquire()
      this.#release = release
      const socket = connect({ port: instance.port, host: '127.0.0.1', noDelay: true })
      await once(socket, 'connect')
      this.#join({ socket, instance })
    } catch {
      this.close()
      this.#letGo()
    } finally {
      this.#attaching = false
    }
  }

  #letGo(): void {
    this.#release?.()
    this.#release = undefined
  }

  #join(upstream: Upstream): void {
    const { socket, instance } = upstream
    socket.on('error', () => {})
    if (this.#client.destroyed) {
      socket.destroy()
      this.#letGo()
      return
    }
    this.#upstream = upstream
    this.#attached = true
    if (this.#isHttp2) this.#letGo()
    socket.on('data', (chunk: Buffer) => {
      if (this.#release) this.#letGo()
      else instance.hold()?.()
      pipe(chunk, socket, this.#client)
    })
    const left = (): void => {
      if (this.#upstream !== upstream) return
      this.#upstream = undefined
      // With a request underway, with state that is lost now, or where the function itself ended the connection, the
      // caller must see the end. Else the process was idle and the next request gets another.
      if (this.#release || this.#isHttp2 || !instance.process.stopping) this.#client.end()
      this.#letGo()
    }
    socket.once('end', left).once('close', left)
    for (const chunk of this.#waiting.splice(0)) socket.write(chunk)
    this.#client.resume()
  }
}

function pipe(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.write(chunk)) return
  from.pause()
  to.once('drain', () => from.resume())
}
