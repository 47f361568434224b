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
import type { CourseLookup, StudentOutbox, StudentRepository } from './ports.ts'

type Wiring = typeof import('./wiring.ts')

/** What a handler of this service is given, by the names of its needs. */
export type Dependencies<Names extends keyof Wiring> = {
  readonly [Name in Names]: Awaited<ReturnType<Wiring[Name]>>
}

async function client(environment: Environment) {
  const { url } = environment.config.serviceUrl('STUDENTS_URL', ['postgres', 'postgresql'])
  return postgresOf(environment, url)
}

export async function repository(environment: Environment): Promise<StudentRepository & Tombstones> {
  const [{ PostgresRepository }, { postgresStudents }] = await Promise.all([
    import('../../shared/adapters/postgres-repository.ts'),
    import('./adapters/postgres-students.ts'),
  ])
  return new PostgresRepository(await client(environment), postgresStudents)
}

export async function outbox(environment: Environment): Promise<StudentOutbox> {
  const { PostgresOutbox } = await import('../../shared/adapters/postgres-outbox.ts')
  return new PostgresOutbox(await client(environment), 'students')
}

/** For who collects them; nothing is written besides. */
export function tombstones(environment: Environment): Promise<Tombstones> {
  return repository(environment)
}

/** A repository that tells others of what it committed. */
export function writer(environment: Environment): Promise<StudentRepository> {
  return writerOf(repository(environment), relay(environment))
}

export function relay(environment: Environment): Promise<Relay> {
  return relayOf(environment, 'S', outbox(environment), staleness(environment))
}

/** Where the cache keeps what is stale; answers come through `cache`. */
export function staleness(environment: Environment): Promise<Cache> {
  return cacheOf(environment, 'students')
}

export function events(environment: Environment): Promise<Events> {
  return eventsOf(environment)
}

/** Messages that the workers of this service died of. */
export function exhausted(environment: Environment): Promise<Exhausted> {
  return exhaustedOf(environment, 'students')
}

/** Answers come through the cache. */
export function cache(environment: Environment): Promise<CacheReader> {
  return cacheReaderOf(staleness(environment))
}

export async function lookup(environment: Environment): Promise<CourseLookup> {
  const url = environment.config.lookupUrl('COURSES_BY_STUDENT_URL')
  const { courseLookup } = await import('../../shared/adapters/grpc-lookups.ts')
  return courseLookup(url)
}
