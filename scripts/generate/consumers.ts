import type { WorkerConsumer } from '../../shared/adapters/nats-streams.ts'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'

/** The durable consumers that the initializer makes: one for each function that is triggered by a stream. */
export const consumersOf = (functions: readonly DiscoveredFunction[]): WorkerConsumer[] =>
  functions.flatMap(({ name, declaration: { trigger } }) =>
    trigger.kind === 'stream'
      ? [{ stream: trigger.stream, subject: trigger.subject, consumer: name.slug }]
      : [],
  )

export const consumers = (functions: readonly DiscoveredFunction[]): string =>
  `${JSON.stringify(consumersOf(functions), null, 2)}\n`
