import { randomUUID } from 'node:crypto'
import { headers, NatsError, type StoredMsg } from 'nats'
import { NatsClient } from '../../shared/adapters/nats-client.ts'
import { deadLetter } from '../../shared/messages/streams.ts'

/** Prints what lies in the dead letter stream, a line each. */
export async function listDeadLetters(url: string): Promise<void> {
  await using client = new NatsClient({ url, name: 'operate' })
  let count = 0
  for await (const { seq, header, time, data } of letters(client)) {
    count++
    const [reason, subject] = ['Registrar-Reason', 'Registrar-Subject'].map((name) => header.get(name))
    console.log(`${seq}  ${time.toISOString()}  ${subject}  ${data.length} bytes  ${reason}`)
  }
  console.log(count === 0 ? 'there are no dead letters' : `${count} dead letters`)
}

/** Sends dead letters to their subjects again and takes them out; all of them, or the one with this number. */
export async function replayDeadLetters(url: string, which: 'all' | number): Promise<void> {
  await using client = new NatsClient({ url, name: 'operate' })
  const jetstream = await client.jetstream()
  const manager = await jetstream.jetstreamManager()
  let count = 0
  for await (const { seq, header, data } of letters(client)) {
    if (which !== 'all' && seq !== which) continue
    const subject = header.get('Registrar-Subject')
    const carried = headers()
    carried.set('traceparent', header.get('traceparent'))
    // A fresh id: under the old one the stream would swallow it as a duplicate, without a word.
    const ack = await jetstream.publish(subject, data, { headers: carried, msgID: `replay:${randomUUID()}` })
    if (ack.duplicate) throw new Error(`${subject} took letter ${seq} for a duplicate`)
    await manager.streams.deleteMessage(deadLetter.stream, seq, false)
    console.log(`${seq} sent to ${subject} again`)
    count++
  }
  if (count === 0)
    throw new Error(which === 'all' ? 'there are no dead letters' : `there is no dead letter ${which}`)
}

async function* letters(client: NatsClient): AsyncIterable<StoredMsg> {
  const manager = await (await client.jetstream()).jetstreamManager()
  const { state } = await manager.streams.info(deadLetter.stream)
  for (let seq = state.first_seq; seq > 0 && seq <= state.last_seq; seq++) {
    try {
      yield await manager.streams.getMessage(deadLetter.stream, { seq })
    } catch (error) {
      // Taken out before.
      if (!(error instanceof NatsError && error.api_error?.code === 404)) throw error
    }
  }
}
