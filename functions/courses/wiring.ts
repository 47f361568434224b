import type { Cache } from '../../shared/cache/cache.ts'
import type { CacheReader } from '../../shared/middleware/caching.ts'
import type { Events } from '../../shared/resource/events.ts'
import type { Tombstones } from '../../shared/resource/ports.ts'
import type { Relay } from '../../shared/resource/relay.ts'
import {
  cacheOf,
  cacheReaderOf,
  eventsOf,
  exhaustedOf,
  postgresOf,
  relayOf,
  writerOf,
} from '../../shared/wiring/backing.ts'
import type { Environment } from '../../shared/wiring/environment.ts'
import type { Exhausted } from '../../shared/worker/exhausted.ts'
import type { CourseOutbox, CourseRepository, StudentLookup } from './ports.ts'

type Wiring = typeof import('./wiring.ts')

/** What a handler of this service is given, by the names of its needs. */
export type Dependencies<Names extends keyof Wiring> = {
  readonly [Name in Names]: Awaited<ReturnType<Wiring[Name]>>
}

/** Documents lie in MongoDB or, as JSONB, in Postgres: the scheme says where, and only that driver is imported. */
function database({ config }: Environment): { readonly inMongo: boolean; readonly url: string } {
  const { scheme, url } = config.serviceUrl('COURSES_URL', [
    'mongodb',
    'mongodb+srv',
    'postgres',
    'postgresql',
  ])
  return { inMongo: scheme.startsWith('mongodb'), url }
}

async function mongoOf(environment: Environment, url: string) {
  const { MongoDatabase } = await import('../../shared/adapters/mongo-client.ts')
  return environment.share('mongo', () => {
    const client = new MongoDatabase({ url })
    client.warm()
    return client
  })
}

export async function repository(environment: Environment): Promise<CourseRepository & Tombstones> {
  const { inMongo, url } = database(environment)
  if (inMongo) {
    const [client, { MongoRepository }, { mongoCourses }] = await Promise.all([
      mongoOf(environment, url),
      import('../../shared/adapters/mongo-repository.ts'),
      import('./adapters/mongo-courses.ts'),
    ])
    return new MongoRepository(client, mongoCourses)
  }
  const [client, { PostgresRepository }, { postgresCourses }] = await Promise.all([
    postgresOf(environment, url),
    import('../../shared/adapters/postgres-repository.ts'),
    import('./adapters/postgres-courses.ts'),
  ])
  return new PostgresRepository(client, postgresCourses)
}

export async function outbox(environment: Environment): Promise<CourseOutbox> {
  const { inMongo, url } = database(environment)
  if (inMongo) {
    const [client, { MongoOutbox }, { mongoCourses }] = await Promise.all([
      mongoOf(environment, url),
      import('../../shared/adapters/mongo-outbox.ts'),
      import('./adapters/mongo-courses.ts'),
    ])
    return new MongoOutbox(client, mongoCourses.collection)
  }
  const [client, { PostgresOutbox }] = await Promise.all([
    postgresOf(environment, url),
    import('../../shared/adapters/postgres-outbox.ts'),
  ])
  return new PostgresOutbox(client, 'courses')
}

/** For who collects them; nothing is written besides. */
export function tombstones(environment: Environment): Promise<Tombstones> {
  return repository(environment)
}

/** A repository that tells others of what it committed. */
export function writer(environment: Environment): Promise<CourseRepository> {
  return writerOf(repository(environment), relay(environment))
}

export function relay(environment: Environment): Promise<Relay> {
  return relayOf(environment, 'C', outbox(environment), staleness(environment))
}

/** Where the cache keeps what is stale; answers come through `cache`. */
export function staleness(environment: Environment): Promise<Cache> {
  return cacheOf(environment, 'courses')
}

export function events(environment: Environment): Promise<Events> {
  return eventsOf(environment)
}

/** Messages that the workers of this service died of. */
export function exhausted(environment: Environment): Promise<Exhausted> {
  return exhaustedOf(environment, 'courses')
}

/** Answers come through the cache. */
export function cache(environment: Environment): Promise<CacheReader> {
  return cacheReaderOf(staleness(environment))
}

export async function lookup(environment: Environment): Promise<StudentLookup> {
  const url = environment.config.lookupUrl('STUDENTS_BY_COURSE_URL')
  const { studentLookup } = await import('../../shared/adapters/grpc-lookups.ts')
  return studentLookup(url)
}
