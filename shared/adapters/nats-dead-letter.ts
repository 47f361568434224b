import { ErrorCode, headers, type JetStreamClient, type MsgHdrs, NatsError } from 'nats'
import { deadLetter } from '../messages/streams.ts'

export interface Burial {
  readonly payload: Uint8Array
  readonly headers: MsgHdrs | undefined
  /** Where the headers have none. */
  readonly traceparent?: string
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

/**
 * Puts a message, as it was, into the dead letter stream; resolves when it is kept there. Once for each message. Of one
 * that is, with the reason, more than the broker takes at once, the end is cut off, and a header has its whole size.
 */
export async function bury(jetstream: JetStreamClient, burial: Burial): Promise<void> {
  const { payload } = burial
  try {
    await keep(
      jetstream,
      burial,
      payload,
      headersOf(burial, () => true),
    )
  } catch (error) {
    if (!(error instanceof NatsError && error.code === ErrorCode.MaxPayloadExceeded)) throw error
    // It came within the limit itself: less of it, and none of its headers, leaves room for what is said of it.
    const carried = headersOf(burial, (name) => name === 'traceparent')
    carried.set('Registrar-Whole-Size', String(payload.length))
    await keep(jetstream, burial, payload.subarray(0, Math.max(0, payload.length - mostSaid)), carried)
  }
}

/** More bytes than all headers of ours take. */
const mostSaid = 8192

/** Our headers, and those of the message that are wanted. */
function headersOf(
  { reason, stream, subject, sequence, traceparent, ...burial }: Burial,
  wanted: (name: string) => boolean,
): MsgHdrs {
  const carried = headers()
  for (const [key, values] of burial.headers ?? []) {
    const name = key.toLowerCase()
    if (!name.startsWith('nats-') && wanted(name)) carried.set(key, values[0] ?? '')
  }
  if (traceparent && !carried.get('traceparent')) carried.set('traceparent', traceparent)
  carried.set('Registrar-Reason', reason.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 1000))
  carried.set('Registrar-Stream', stream)
  carried.set('Registrar-Subject', subject)
  carried.set('Registrar-Sequence', String(sequence))
  return carried
}

async function keep(
  jetstream: JetStreamClient,
  { stream, sequence, consumer, id }: Burial,
  payload: Uint8Array,
  carried: MsgHdrs,
): Promise<void> {
  await jetstream.publish(`${deadLetter.subject}.${consumer}`, payload, {
    headers: carried,
    msgID: id ?? `${stream}:${sequence}`,
    timeout: 2000,
  })
}
