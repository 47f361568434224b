import type { Cache } from '../cache/cache.ts'
import type { Side } from '../enrolment/register.ts'
import consumers from '../generated/consumers.json' with { type: 'json' }
import type { CacheReader } from '../middleware/caching.ts'
import type { Events } from '../resource/events.ts'
import type { Outbox, Repository } from '../resource/ports.ts'
import type { Relay } from '../resource/relay.ts'
import type { DeadLetters } from '../worker/dead-letters.ts'
import type { Exhausted } from '../worker/exhausted.ts'
import type { Inbox } from '../worker/inbox.ts'
import { deferredEvents } from './deferred-events.ts'
import { type Environment, together } from './environment.ts'

/*
 * The adapters of the backing services that both sides use, by the scheme of their URL. Each driver is imported when it
 * is asked for: a process loads none that its function does not need, whether it runs from a bundle or from the sources.
 */

export async function cacheOf(environment: Environment, service: string): Promise<Cache> {
  const { url } = environment.config.serviceUrl('CACHE_URL', ['redis', 'rediss'])
  const { RedisCache } = await import('../adapters/redis-cache.ts')
  return environment.share('cache', () => new RedisCache({ url, service }))
}

export async function eventsOf(environment: Environment): Promise<Events> {
  const { url } = environment.config.serviceUrl('EVENTS_URL', ['nats', 'tls'])
  return environment.share('events', () =>
    deferredEvents(async () => {
      const { NatsEvents } = await import('../adapters/nats-events.ts')
      return new NatsEvents({ url, name: environment.function })
    }),
  )
}

export async function inboxOf(environment: Environment, stream: string, consumer: string): Promise<Inbox> {
  const { url } = environment.config.serviceUrl('EVENTS_URL', ['nats', 'tls'])
  const { NatsInbox } = await import('../adapters/nats-inbox.ts')
  return environment.share(
    'inbox',
    () => new NatsInbox({ url, name: environment.function, stream, consumer }),
  )
}

export async function deadLettersOf(environment: Environment, consumer: string): Promise<DeadLetters> {
  const { url } = environment.config.serviceUrl('EVENTS_URL', ['nats', 'tls'])
  const { NatsDeadLetters } = await import('../adapters/nats-dead-letters.ts')
  return environment.share(
    'dead letters',
    () => new NatsDeadLetters({ url, name: environment.function, consumer }),
  )
}

export async function exhaustedOf(environment: Environment, service: string): Promise<Exhausted> {
  const { url } = environment.config.serviceUrl('EVENTS_URL', ['nats', 'tls'])
  const own = consumers
    .map(({ consumer }) => consumer)
    .filter((consumer) => consumer.startsWith(`${service}-`))
  const { NatsExhausted } = await import('../adapters/nats-exhausted.ts')
  return environment.share(
    'exhausted',
    () => new NatsExhausted({ url, name: environment.function, consumers: own }),
  )
}

export async function postgresOf(environment: Environment, url: string) {
  const { PostgresClient } = await import('../adapters/postgres-client.ts')
  return environment.share('postgres', () => {
    const client = new PostgresClient({ url })
    client.warm()
    return client
  })
}

export async function relayOf(
  environment: Environment,
  side: Side,
  entries: Promise<Outbox>,
  store: Promise<Cache>,
): Promise<Relay> {
  const [outbox, cache, events, { Relay }] = await together([
    entries,
    store,
    eventsOf(environment),
    import('../resource/relay.ts'),
  ])
  return environment.share('relay', () => new Relay({ side, outbox, cache, events }))
}

export async function writerOf<F>(
  own: Promise<Repository<F>>,
  telling: Promise<Relay>,
): Promise<Repository<F>> {
  const [repository, relay, { relayed }] = await together([own, telling, import('../resource/relay.ts')])
  return relayed(repository, relay)
}

export async function cacheReaderOf(store: Promise<Cache>): Promise<CacheReader> {
  const [cache, { cacheReader }] = await Promise.all([store, import('../cache/reader.ts')])
  return cacheReader(cache)
}
