import { connect, type NatsConnection } from 'nats'
import { natsAddress } from '../../../shared/adapters/nats-address.ts'
import type { StreamTrigger } from '../../../shared/spec/define-function.ts'
import type { Child } from '../process.ts'
import { messageOf } from './requests.ts'

/** Longest wait for messages to be settled, in milliseconds. */
const patience = 60_000

/** The messages for one worker: fills its stream, and hears how it settles each. */
export class Queue implements AsyncDisposable {
  readonly #connection: NatsConnection
  readonly #trigger: StreamTrigger
  #open = 0
  #settled = Promise.withResolvers<void>()

  private constructor(connection: NatsConnection, trigger: StreamTrigger) {
    this.#connection = connection
    this.#trigger = trigger
  }

  static async open(url: string, trigger: StreamTrigger, consumer: string): Promise<Queue> {
    const connection = await connect(natsAddress(url))
    const queue = new Queue(connection, trigger)
    const { stream } = trigger
    // What others told it while they were measured.
    await (await connection.jetstreamManager()).streams.purge(stream)
    // Whoever listens there hears it when the server does; to ask the consumer over and over would be work beside.
    connection.subscribe(`$JS.ACK.${stream}.${consumer}.>`, {
      callback: (_, message) => queue.#hear(message.string()),
    })
    await connection.flush()
    return queue
  }

  /** So many messages, numbered from here on. */
  async publish(from: number, count: number): Promise<void> {
    const jetstream = this.#connection.jetstream()
    const { subject } = this.#trigger
    this.#open = count
    this.#settled = Promise.withResolvers()
    await Promise.all(
      Array.from({ length: count }, (_, i) => jetstream.publish(subject, messageOf(subject, from + i))),
    )
  }

  /** Until the worker has acknowledged all that was published last. */
  async settled({ failed }: Child): Promise<void> {
    const settled = this.#settled.promise
    const late = setTimeout(() => {
      this.#settled.reject(new Error(`${this.#open} messages were not acknowledged in ${patience} ms`))
    }, patience)
    try {
      await Promise.race([settled, failed])
    } finally {
      clearTimeout(late)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close()
  }

  /** Whatever else a worker says of a message, it comes again, and is acknowledged in the end. */
  #hear(how: string): void {
    if (how === '+ACK' && --this.#open === 0) this.#settled.resolve()
  }
}
