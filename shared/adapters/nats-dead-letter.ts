import { headers, type JetStreamClient, type MsgHdrs } from 'nats'
import { deadLetter } from '../messages/streams.ts'

export interface Burial {
  readonly payload: Uint8Array
  readonly headers: MsgHdrs | undefined
  readonly stream: string
  readonly subject: string
  /** The message's place in its stream. */
  readonly sequence: number
  /** The durable consumer that gave up. */
  readonly consumer: string
  readonly reason: string
  /** By which it is kept once; the message's place when not given. */
  readonly id?: string
}

/** Puts a message, as it was, into the dead letter stream; resolves when it is kept there. Once for each message. */
export async function bury(jetstream: JetStreamClient, burial: Burial): Promise<void> {
  const { payload, stream, subject, sequence, consumer, reason } = burial
  const carried = headers()
  for (const [key, values] of burial.headers ?? []) {
    if (!key.toLowerCase().startsWith('nats-')) carried.set(key, values[0] ?? '')
  }
  carried.set('Registrar-Reason', reason.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 1000))
  carried.set('Registrar-Stream', stream)
  carried.set('Registrar-Subject', subject)
  carried.set('Registrar-Sequence', String(sequence))
  await jetstream.publish(`${deadLetter.subject}.${consumer}`, payload, {
    headers: carried,
    msgID: burial.id ?? `${stream}:${sequence}`,
    timeout: 2000,
  })
}
