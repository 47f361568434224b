import { headers } from 'nats'
import type { LinkMessage } from '../enrolment/messages.ts'
import { messageId } from '../enrolment/messages.ts'
import type { Side } from '../enrolment/register.ts'
import { encodeLink, encodeToModify } from '../messages/link-codec.ts'
import { toldTo, toModify } from '../messages/streams.ts'
import type { Events, Mutation, Telling } from '../resource/events.ts'
import { inSpan } from '../tracing.ts'
import { within } from '../within.ts'
import { NatsClient, type NatsOptions } from './nats-client.ts'

/** Longest that a publish waits for its acknowledgement, in milliseconds. */
const patience = 1000

/** The streams on NATS JetStream: a resolved call has the server's acknowledgement. */
export class NatsEvents implements Events, AsyncDisposable {
  readonly #client: NatsClient

  constructor(options: NatsOptions) {
    this.#client = new NatsClient(options)
  }

  announce({ id, side, subject, links }: Mutation, telling: Telling): Promise<void> {
    return this.#publish(
      toModify[side],
      withNonce(id, telling),
      encodeToModify(side, { id: subject, links }),
      telling,
    )
  }

  tell(to: Side, link: LinkMessage, telling: Telling): Promise<void> {
    return this.#publish(toldTo[to], messageId(to, link, telling.nonce), encodeLink(link), telling)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }

  async #publish(
    subject: string,
    id: string,
    payload: Uint8Array,
    { traceparent, nonce }: Telling,
  ): Promise<void> {
    await inSpan(`publish ${subject}`, 'producer', async () => {
      const carried = headers()
      carried.set('traceparent', traceparent)
      const published = this.#client
        .jetstream()
        .then((jetstream) =>
          jetstream.publish(subject, payload, { msgID: id, headers: carried, timeout: patience }),
        )
      // The wait for a connection counts too.
      const ack = await within(patience, published, () => new Error('NATS did not answer in time'))
      // With a nonce it was meant to be new: one that the server knows would be lost without a word.
      if (ack.duplicate && nonce !== undefined) throw new Error(`the stream took ${id} for a duplicate`)
    })
  }
}

const withNonce = (id: string, { nonce }: Telling): string => (nonce === undefined ? id : `${id}:${nonce}`)
