import type { DeadLetter, DeadLetters } from '../worker/dead-letters.ts'
import { NatsClient, type NatsOptions } from './nats-client.ts'
import { bury } from './nats-dead-letter.ts'

/** Dead letters of a function whose messages did not come from JetStream by themselves. */
export class NatsDeadLetters implements DeadLetters, AsyncDisposable {
  readonly #client: NatsClient
  readonly #consumer: string

  constructor({ consumer, ...options }: NatsOptions & { readonly consumer: string }) {
    this.#consumer = consumer
    this.#client = new NatsClient(options)
  }

  async bury(letter: DeadLetter): Promise<void> {
    // Its place in a stream is not known: streams begin at 1.
    await bury(await this.#client.jetstream(), {
      ...letter,
      headers: undefined,
      sequence: 0,
      consumer: this.#consumer,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }
}
