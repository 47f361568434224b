import { type JetStreamManager, NatsError } from 'nats'
import { advisories } from '../messages/streams.ts'
import { observeDeadLetter } from '../metrics.ts'
import { fullNameOf } from '../spec/names.ts'
import type { Exhausted } from '../worker/exhausted.ts'
import { NatsClient, type NatsOptions } from './nats-client.ts'
import { bury } from './nats-dead-letter.ts'

export interface NatsExhaustedOptions extends NatsOptions {
  /** The durable consumers to look after. */
  readonly consumers: readonly string[]
}

interface Advisory {
  readonly stream: string
  readonly consumer: string
  readonly stream_seq: number
  readonly deliveries: number
}

/** Reads the server's advisories about deliveries that are used up, each worker's through a consumer of its own. */
export class NatsExhausted implements Exhausted, AsyncDisposable {
  readonly #client: NatsClient
  readonly #options: NatsExhaustedOptions

  constructor(options: NatsExhaustedOptions) {
    this.#options = options
    this.#client = new NatsClient(options)
  }

  async bury(): Promise<number> {
    const jetstream = await this.#client.jetstream()
    const manager = await jetstream.jetstreamManager()
    let count = 0
    for (const worker of this.#options.consumers) {
      const consumer = await jetstream.consumers.get(advisories.stream, `${worker}-advisories`)
      const { num_pending, num_ack_pending } = await consumer.info()
      // Those too that a sweep had which failed or died: they come again, after their ack_wait.
      const most = Math.min(num_pending + num_ack_pending, 100)
      if (most === 0) continue
      const batch = await consumer.fetch({ max_messages: most, expires: 1000 })
      for await (const message of batch) {
        if (await this.#move(manager, message.json<Advisory>())) count++
        await message.ackAck({ timeout: 2000 })
      }
    }
    return count
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }

  /** False when the message is no longer there. */
  async #move(
    manager: JetStreamManager,
    { stream, consumer, stream_seq, deliveries }: Advisory,
  ): Promise<boolean> {
    const message = await found(manager.streams.getMessage(stream, { seq: stream_seq }))
    if (!message) return false
    await bury(await this.#client.jetstream(), {
      payload: message.data,
      headers: message.header,
      stream,
      subject: message.subject,
      sequence: stream_seq,
      consumer,
      reason: `its worker died or hung on each of ${deliveries} deliveries`,
    })
    observeDeadLetter(fullNameOf(consumer), 'exhausted')
    await manager.streams.deleteMessage(stream, stream_seq, false)
    return true
  }
}

/** JetStream's own code: a stream that is not there is 404 as well. */
const noMessage = 10037

async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === noMessage) return undefined
    throw error
  }
}
