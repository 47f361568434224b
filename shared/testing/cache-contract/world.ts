import { randomBytes } from 'node:crypto'
import type { CacheServer, OpenCache } from './subject.ts'

export interface Caches {
  readonly server: CacheServer
  /** That `one` and `two` belong to. */
  readonly service: string
  readonly one: OpenCache
  /** Another process of the same service. */
  readonly two: OpenCache
  /** A process of another service. */
  readonly other: OpenCache
}

/** Caches of a service that no other test has, over a server that all the tests of a contract share. */
export class CacheWorld implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack()
  readonly #server: CacheServer

  constructor(server: CacheServer) {
    this.#server = this.#stack.use(server)
  }

  caches(): Caches {
    const [service, another] = [0, 1].map(() => `s-${randomBytes(6).toString('hex')}`)
    const open = (name = ''): OpenCache => this.#stack.use(this.#server.open(name))
    return {
      server: this.#server,
      service: service ?? '',
      one: open(service),
      two: open(service),
      other: open(another),
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}
