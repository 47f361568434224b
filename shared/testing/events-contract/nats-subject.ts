import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoredMsg } from 'nats'
import type { RunningEngine } from '../../../scripts/engines/engine.ts'
import { startNats } from '../../../scripts/engines/nats.ts'
import { Guardian } from '../../../scripts/local/guardian.ts'
import { NatsClient } from '../../adapters/nats-client.ts'
import { NatsDeadLetters } from '../../adapters/nats-dead-letters.ts'
import { NatsEvents } from '../../adapters/nats-events.ts'
import { NatsExhausted } from '../../adapters/nats-exhausted.ts'
import { NatsInbox } from '../../adapters/nats-inbox.ts'
import { NatsStreams } from '../../adapters/nats-streams.ts'
import consumers from '../../generated/consumers.json' with { type: 'json' }
import { advisories, deadLetter } from '../../messages/streams.ts'
import { pause, resume } from '../pausing.ts'
import type { BrokerServer, Buried, EventsSubject } from './subject.ts'

export const natsSubject: EventsSubject = {
  async start(): Promise<BrokerServer> {
    await using opening = new AsyncDisposableStack()
    const dir = await mkdtemp(join(tmpdir(), 'registrar-events-'))
    opening.defer(() => rm(dir, { recursive: true, force: true }))
    const guardian = opening.use(new Guardian())
    const options = { dir, password: 'test', env: guardian.mark, onSpawn: guardian.watch.bind(guardian) }
    let engine: RunningEngine = await startNats(options)
    opening.defer(() => engine[Symbol.asyncDispose]())
    const stack = opening.move()
    const own = { url: engine.url, name: 'test' }
    return {
      provisioner: (maxAckPending) => new NatsStreams({ ...own, consumers, maxAckPending }),
      events: () => new NatsEvents(own),
      inbox: (stream, consumer) => new NatsInbox({ ...own, stream, consumer }),
      deadLetters: (consumer) => new NatsDeadLetters({ ...own, consumer }),
      exhausted: (names) => new NatsExhausted({ ...own, consumers: names }),
      loseAdvisories: async (consumer) => {
        await using client = new NatsClient(own)
        const { consumers } = await client.jetstream()
        const told = await consumers.get(advisories.stream, `${consumer}-advisories`)
        for await (const _ of await told.fetch({ max_messages: 1, expires: 20_000 }));
      },
      publish: async (subject, payload) => {
        await using client = new NatsClient(own)
        await (await client.jetstream()).publish(subject, payload)
      },
      unsettled: async (stream) => {
        await using client = new NatsClient(own)
        const manager = await (await client.connection()).jetstreamManager()
        return (await manager.streams.info(stream)).state.messages
      },
      buried: async () => (await lettersOf(own.url)).map(asBuried),
      pause: () => pause(engine.pid),
      resume: () => resume(engine.pid),
      bounce: async () => {
        await engine.stop('SIGKILL')
        engine = await startNats({ ...options, port: engine.port })
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  },
}

async function lettersOf(url: string): Promise<StoredMsg[]> {
  await using client = new NatsClient({ url, name: 'test' })
  const manager = await (await client.connection()).jetstreamManager()
  const { state } = await manager.streams.info(deadLetter.stream)
  const numbers = Array.from({ length: state.messages }, (_, i) => state.first_seq + i)
  return await Promise.all(numbers.map((seq) => manager.streams.getMessage(deadLetter.stream, { seq })))
}

function asBuried({ header, subject, data }: StoredMsg): Buried {
  return {
    payload: data,
    reason: header.get('Registrar-Reason'),
    stream: header.get('Registrar-Stream'),
    subject: header.get('Registrar-Subject'),
    traceparent: header.get('traceparent'),
    consumer: subject.slice(deadLetter.subject.length + 1),
  }
}
