import { connect, type JetStreamClient, type NatsConnection } from 'nats'
import { natsAddress } from './nats-address.ts'

export interface NatsOptions {
  readonly url: string
  /** What the server's list of connections calls this one. */
  readonly name: string
}

/** Longest wait for a connection or an answer, in milliseconds. */
const patience = 1000

/** Where answers to a client come: nobody else's permissions let it listen there. */
export const inboxOf = (name: string): string => `_INBOX.${name.replaceAll(/[^\w-]/g, '-')}`

/** One connection, made when the object is, that comes back by itself whenever the server does. */
export class NatsClient implements AsyncDisposable {
  readonly #options: NatsOptions
  #connection: Promise<NatsConnection> | undefined
  #closed = false

  constructor(options: NatsOptions) {
    this.#options = options
    this.connection().catch(() => {})
  }

  /** The connection; a first one that failed is tried again by the next caller. */
  async connection(): Promise<NatsConnection> {
    if (this.#closed) throw new Error('the connection is closed')
    this.#connection ??= connect(connectionOptions(this.#options))
    try {
      return await this.#connection
    } catch (error) {
      this.#connection = undefined
      throw error
    }
  }

  async jetstream(): Promise<JetStreamClient> {
    return (await this.connection()).jetstream({ timeout: patience })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    const connection = await this.#connection?.catch(() => undefined)
    if (!connection || connection.isClosed()) return
    // Draining waits for the server; a server that is away would keep it waiting.
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience)
    })
    await Promise.race([connection.drain().catch(() => {}), late])
    clearTimeout(timer)
    await connection.close()
  }
}

function connectionOptions({ url, name }: NatsOptions) {
  return {
    ...natsAddress(url),
    name,
    inboxPrefix: inboxOf(name),
    timeout: patience,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 50,
    pingInterval: 5000,
    maxPingOut: 2,
    ignoreClusterUpdates: true,
  }
}
