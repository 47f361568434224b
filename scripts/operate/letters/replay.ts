import { headers, type JetStreamClient, type JetStreamManager, NatsError, type PubAck } from 'nats'
import { streams } from '../../../shared/messages/streams.ts'
import { Refusal } from '../../local/refusal.ts'
import { type Letter, remove } from './letter.ts'
import { isOfProtocol } from './payload.ts'

/** By whom a letter was sent: by this replay, or by another one of it within the dedupe window. */
export type Replayed = 'sent' | 'sent before'

/**
 * Sends a letter to its subject again, and takes it out when its stream has it: of a replay that dies in between the
 * letter is still there, and sent twice is as good as once, for workers drop what is not newer than what they have.
 * What fails again comes back as another letter: two replays of one must not bring back two.
 *
 * @throws Refusal when it was not sent; the letter stays
 */
export async function replay(
  jetstream: Pick<JetStreamClient, 'publish'>,
  manager: JetStreamManager,
  letter: Letter,
): Promise<Replayed> {
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
  const ack = await published(
    jetstream.publish(subject, payload, { headers: carried, msgID: replayId(letter) }),
    id,
  )
  const expected = Object.entries(streams).find(([, { subjects }]) => subjects.some((one) => one === subject))
  if (ack.stream !== expected?.[0])
    throw new Refusal(`Dead letter ${id} was not kept: the stream ${ack.stream} took it.`)
  await remove(manager, id)
  return ack.duplicate ? 'sent before' : 'sent'
}

/**
 * The same for each replay of a letter, and of no other letter or message: under an id that the stream saw within its
 * dedupe window it would be swallowed. With its time, since numbers begin again where the dead letters were wiped.
 */
export const replayId = ({ id, at }: Letter): string => `replay:${id}:${at.getTime()}`

async function published(asked: Promise<PubAck>, id: number): Promise<PubAck> {
  try {
    return await asked
  } catch (error) {
    // 10158: a stream with replicas has the same id from somebody else, and does not know yet whether it will keep it.
    if (!(error instanceof NatsError && error.api_error?.err_code === 10158)) throw error
    throw new Refusal(`Dead letter ${id} is being sent by another replay: it stays until that is done.`)
  }
}
