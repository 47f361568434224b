import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

interface Link {
  readonly near: Socket
  far: Socket | undefined
}

/** The network between the functions and one engine: TCP, in which connections can be cut, late, silent or half open. */
export class EngineProxy implements AsyncDisposable {
  /** As the engine's URL, with this port. */
  readonly url: string
  readonly #server: Server
  readonly #links = new Set<Link>()
  #delay = 0
  #cut = false

  private constructor(url: string, server: Server) {
    this.url = url
    this.#server = server
  }

  static async to(target: string): Promise<EngineProxy> {
    const { hostname, port } = new URL(target)
    const server = createServer({ noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const own = new URL(target)
    own.port = String(typeof address === 'object' ? address?.port : '')
    const proxy = new EngineProxy(own.href, server)
    server.on('connection', (near) => proxy.#join(near, hostname, Number(port)))
    return proxy
  }

  /** Connections break, and new ones are refused at once. */
  cut(): void {
    this.#cut = true
    this.breakAll()
  }

  /** Connections break once; new ones are taken. */
  breakAll(): void {
    for (const { near, far } of this.#links) {
      near.destroy()
      far?.destroy()
    }
  }

  /** Every byte, either way, comes this much later, in milliseconds; the order stays. */
  delay(ms: number): void {
    this.#delay = ms
  }

  /**
   * Of the connections that there are, the engine's ends vanish, and nobody tells the functions: what they send is
   * taken by nobody, and nothing comes. They stay so; new connections are good.
   */
  halfOpen(): void {
    for (const link of this.#links) {
      const { far } = link
      link.far = undefined
      far?.destroy()
    }
  }

  release(): void {
    this.#cut = false
    this.#delay = 0
  }

  get connections(): number {
    return this.#links.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
  }

  #join(near: Socket, host: string, port: number): void {
    if (this.#cut) {
      near.resetAndDestroy()
      return
    }
    const far = connect({ host, port, noDelay: true })
    const link: Link = { near, far }
    this.#links.add(link)
    const isWhole = (): boolean => link.far === far
    const [there, back] = [new Lane(() => this.#delay), new Lane(() => this.#delay)]
    near.on('data', (chunk) => there.pass(() => isWhole() && far.write(chunk)))
    far.on('data', (chunk) => back.pass(() => isWhole() && near.write(chunk)))
    near.on('end', () => there.pass(() => far.end()))
    far.on('end', () => back.pass(() => isWhole() && near.end()))
    near.on('error', () => {})
    far.on('error', () => {})
    near.once('close', () => {
      this.#links.delete(link)
      far.destroy()
    })
    far.once('close', () => back.pass(() => isWhole() && near.destroy()))
  }
}

/** One direction of a connection: what enters it leaves it in the same order, however the delay changes meanwhile. */
class Lane {
  readonly #delay: () => number
  readonly #waiting: { readonly due: number; readonly send: () => unknown }[] = []

  constructor(delay: () => number) {
    this.#delay = delay
  }

  pass(send: () => unknown): void {
    const delay = this.#delay()
    if (delay === 0 && this.#waiting.length === 0) {
      send()
      return
    }
    this.#waiting.push({ due: performance.now() + delay, send })
    if (this.#waiting.length === 1) this.#drain()
  }

  #drain(): void {
    const [next] = this.#waiting
    if (!next) return
    const left = next.due - performance.now()
    if (left > 0) {
      setTimeout(() => this.#drain(), left)
      return
    }
    this.#waiting.shift()
    next.send()
    this.#drain()
  }
}
