import { type JetStreamManager, NatsError, type StoredMsg } from 'nats'
import { deadLetter } from '../../../shared/messages/streams.ts'
import { parseTraceparent } from '../../../shared/tracing.ts'
import { Refusal } from '../../local/refusal.ts'

/** One message that no worker could process. */
export interface Letter {
  /** Its place in the stream: what commands call it by. */
  readonly id: number
  /** When it was given up. */
  readonly at: Date
  readonly reason: string
  /** Where it came from, and where a replay sends it. */
  readonly subject: string
  readonly stream: string
  /** Its place there; 0 where it is not known. */
  readonly sequence: number
  /** Who gave up. */
  readonly consumer: string
  readonly traceparent: string
  readonly payload: Uint8Array
  /** Bytes that the message had, where it was too large to be kept whole: the payload is its beginning. */
  readonly wholeSize?: number
}

/** Those that are there at the call, the oldest first: what a replay brings back meanwhile is not among them. */
export async function* letters(manager: JetStreamManager): AsyncIterable<Letter> {
  const { last_seq } = (await manager.streams.info(deadLetter.stream)).state
  for (let seq = 1; ; ) {
    // The next one that there is: between them may be any number that were taken out.
    const query = { seq, next_by_subj: `${deadLetter.subject}.>` }
    const message = await found(manager.streams.getMessage(deadLetter.stream, query))
    if (!message || message.seq > last_seq) return
    yield letterOf(message)
    seq = message.seq + 1
  }
}

/** @throws Refusal when it is not there. */
export async function letter(manager: JetStreamManager, id: number): Promise<Letter> {
  const message = await found(manager.streams.getMessage(deadLetter.stream, { seq: id }))
  if (!message) throw new Refusal(`There is no dead letter ${id}.`)
  return letterOf(message)
}

/** Takes one out; false when somebody else has. */
export async function remove(manager: JetStreamManager, id: number): Promise<boolean> {
  return (await found(manager.streams.deleteMessage(deadLetter.stream, id, false))) ?? false
}

export function traceIdOf({ traceparent }: Letter): string | undefined {
  return parseTraceparent(traceparent)?.traceId
}

/** Whoever can publish can put anything into a letter, and a terminal obeys some of it. */
export const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?')

function letterOf({ seq, header, time, subject, data }: StoredMsg): Letter {
  const get = (name: string): string => printable(header?.get(name) ?? '')
  const whole = Number(get('Registrar-Whole-Size'))
  return {
    id: seq,
    at: time,
    reason: get('Registrar-Reason'),
    subject: get('Registrar-Subject'),
    stream: get('Registrar-Stream'),
    sequence: Number(get('Registrar-Sequence')) || 0,
    consumer: printable(subject.slice(deadLetter.subject.length + 1)),
    traceparent: get('traceparent'),
    payload: data,
    ...(whole > 0 ? { wholeSize: whole } : {}),
  }
}

/** What is there, or nothing; any other error is one. */
async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    // 10037: no such message; a stream that is not there has another number.
    const gone = error instanceof NatsError && [10037, 10043, 10057].includes(error.api_error?.err_code ?? 0)
    if (gone) return undefined
    throw error
  }
}
