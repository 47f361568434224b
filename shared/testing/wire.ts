import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy that can be held, as a network or a server that hangs, and cut, as one that is gone. */
export class Wire implements AsyncDisposable {
  readonly url: string
  readonly #server: ReturnType<typeof createServer>
  readonly #sockets = new Set<Socket>()
  #held = false
  #cut = false

  static async to(url: string): Promise<Wire> {
    const { hostname, port } = new URL(url)
    const wire: Wire = new Wire(
      url,
      createServer({ allowHalfOpen: true }, (near) => wire.#join(near, hostname, Number(port))),
    )
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve))
    const address = wire.#server.address()
    const own = new URL(url)
    own.port = String(typeof address === 'object' ? address?.port : '')
    Object.assign(wire, { url: own.href })
    return wire
  }

  private constructor(url: string, server: ReturnType<typeof createServer>) {
    this.url = url
    this.#server = server
  }

  /** Nothing goes through until it is released. */
  hold(): void {
    this.#held = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** Connections break, and new ones are refused at once. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  release(): void {
    this.#held = false
    this.#cut = false
    for (const socket of this.#sockets) socket.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
  }

  #join(near: Socket, host: string, port: number): void {
    if (this.#cut) return void near.destroy()
    const far = connect({ host, port, allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.on('data', (chunk) => to.write(chunk))
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#held) from.pause()
    }
  }
}
