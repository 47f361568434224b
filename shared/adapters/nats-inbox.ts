import { setTimeout as sleep } from 'node:timers/promises'
import type { ConsumerMessages, JsMsg } from 'nats'
import { causes } from '../errors.ts'
import { log } from '../log.ts'
import type { Delivery, Inbox } from '../worker/inbox.ts'
import { NatsClient, type NatsOptions } from './nats-client.ts'
import { bury } from './nats-dead-letter.ts'

export interface NatsInboxOptions extends NatsOptions {
  readonly stream: string
  /** The durable consumer, which the initializer made. */
  readonly consumer: string
}

/** A durable pull consumer of a JetStream stream. */
export class NatsInbox implements Inbox, AsyncDisposable {
  readonly #client: NatsClient
  readonly #options: NatsInboxOptions

  constructor(options: NatsInboxOptions) {
    this.#options = options
    this.#client = new NatsClient(options)
  }

  async *messages(concurrency: number, signal: AbortSignal): AsyncIterable<Delivery> {
    while (!signal.aborted) {
      try {
        const jetstream = await this.#client.jetstream()
        const consumer = await jetstream.consumers.get(this.#options.stream, this.#options.consumer)
        const pulled = await consumer.consume({
          max_messages: concurrency,
          idle_heartbeat: 1000,
          expires: 5000,
        })
        const stop = (): void => void drain(pulled)
        signal.addEventListener('abort', stop, { once: true })
        // The stop may have come while the pull began: nobody would tell it any more.
        if (signal.aborted) stop()
        // Messages that stay away although the server answers: a new consume finds out why.
        void (async () => {
          for await (const status of await pulled.status()) {
            if (status.type === 'consumer_deleted' || status.type === 'stream_not_found') pulled.stop()
          }
        })().catch(() => {})
        try {
          for await (const message of pulled) {
            // Buffered, or on its way, when the stop came: somebody else shall have it at once.
            if (signal.aborted) message.nak(1)
            else yield this.#delivery(message)
          }
        } finally {
          signal.removeEventListener('abort', stop)
        }
      } catch (error) {
        if (signal.aborted) return
        log('warn', { message: 'the stream is not available', error: causes(error) })
      }
      await sleep(500, undefined, { signal }).catch(() => {})
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }

  #delivery(message: JsMsg): Delivery {
    return {
      sequence: message.info.streamSequence,
      payload: message.data,
      subject: message.subject,
      traceparent: message.headers?.get('traceparent') || undefined,
      deliveries: message.info.deliveryCount,
      working: () => message.working(),
      acknowledge: async () => {
        if (!(await message.ackAck({ timeout: 2000 }))) throw new Error('the acknowledgement was not taken')
      },
      retry: async (delay) => message.nak(delay),
      bury: async (reason, traceparent) => {
        const { stream, streamSequence: sequence } = message.info
        await bury(await this.#client.jetstream(), {
          payload: message.data,
          headers: message.headers,
          traceparent,
          stream,
          subject: message.subject,
          sequence,
          consumer: this.#options.consumer,
          reason,
        })
        message.term(reason.slice(0, 200))
      },
    }
  }
}

/** Longest that a stop waits for what the broker sent before it, in milliseconds. */
const drainPatience = 1000

/**
 * Ends the pulling when all that the broker sent before it heard of the end has arrived. The driver's close() drops what
 * is on its way, which would wait for its ack_wait; it drains only a whole connection, which must still acknowledge.
 */
async function drain(pulled: ConsumerMessages): Promise<void> {
  const subscription: unknown = Reflect.get(pulled, 'sub')
  const late = sleep(drainPatience, undefined, { ref: false })
  if (isDrainable(subscription)) await Promise.race([subscription.drain(), late]).catch(() => {})
  await pulled.close()
}

function isDrainable(value: unknown): value is { drain(): Promise<void> } {
  return typeof value === 'object' && value !== null && 'drain' in value && typeof value.drain === 'function'
}
