import { randomUUID } from 'node:crypto'
import { headers, type JetStreamClient, type JetStreamManager } from 'nats'
import { streams } from '../../../shared/messages/streams.ts'
import { Refusal } from '../../local/refusal.ts'
import { type Letter, remove } from './letter.ts'
import { isOfProtocol } from './payload.ts'

/**
 * Sends a letter to its subject again, and takes it out when its stream has it: of a replay that dies in between the
 * letter is still there, and sent twice is as good as once, for workers drop what is not newer than what they have.
 * What fails again comes back as another letter.
 *
 * @param nonce anything fresh: under an id that the stream saw within its dedupe window the message would be swallowed
 * @throws Refusal when it was not sent; the letter stays
 */
export async function replay(
  jetstream: JetStreamClient,
  manager: JetStreamManager,
  letter: Letter,
  nonce: string = randomUUID(),
): Promise<void> {
  const { id, subject, payload, traceparent, wholeSize } = letter
  if (!isOfProtocol(subject))
    throw new Refusal(
      `Dead letter ${id} names "${subject}", to which no worker listens: it can only be dropped.`,
    )
  if (wholeSize !== undefined)
    throw new Refusal(
      `Dead letter ${id} is the beginning of a message of ${wholeSize} bytes: it can only be dropped.`,
    )
  const carried = headers()
  if (traceparent) carried.set('traceparent', traceparent)
  const ack = await jetstream.publish(subject, payload, { headers: carried, msgID: `replay:${nonce}` })
  const expected = Object.entries(streams).find(([, { subjects }]) => subjects.some((one) => one === subject))
  if (ack.duplicate || ack.stream !== expected?.[0])
    throw new Refusal(
      `Dead letter ${id} was not kept: ${ack.duplicate ? `${ack.stream} took it for a duplicate` : `the stream ${ack.stream} took it`}.`,
    )
  await remove(manager, id)
}
