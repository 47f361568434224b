import consumers from '../../shared/generated/consumers.json' with { type: 'json' }
import roles from '../../shared/generated/roles.json' with { type: 'json' }
import { naming } from '../../shared/provision/naming.ts'
import type { Provisioner } from '../../shared/provision/provisioner.ts'
import { type Environment, together } from '../../shared/wiring/environment.ts'

type Wiring = typeof import('./wiring.ts')

/** What a handler of this service is given, by the names of its needs. */
export type Dependencies<Names extends keyof Wiring> = {
  readonly [Name in Names]: Awaited<ReturnType<Wiring[Name]>>
}

/** What has to be as the functions need it, in the order in which it is made so. */
export async function provisioners(environment: Environment): Promise<readonly Provisioner[]> {
  return (await together([streams(environment), students(environment), courses(environment)])).flat()
}

export interface Mode {
  readonly check: boolean
  readonly force: boolean
  /** How long to wait for servers that are not there yet, in seconds. */
  readonly wait: number
}

/** What the command line and the platform ask for. */
export async function mode({ config }: Environment): Promise<Mode> {
  return { check: config.flag('check'), force: config.flag('force'), wait: config.waitSeconds() }
}

async function streams(environment: Environment): Promise<Provisioner> {
  const { config } = environment
  const [{ url }, maxAckPending, replicas] = await together([
    Promise.try(() => config.serviceUrl('EVENTS_URL', ['nats', 'tls'])),
    Promise.try(() => config.maxAckPending()),
    Promise.try(() => config.streamReplicas()),
  ])
  const { NatsStreams } = await import('../../shared/adapters/nats-streams.ts')
  return environment.share(
    'streams',
    () => new NatsStreams({ url, name: environment.function, consumers, maxAckPending, replicas }),
  )
}

async function students(environment: Environment): Promise<Provisioner[]> {
  const { url } = environment.config.serviceUrl('STUDENTS_URL', ['postgres', 'postgresql'])
  return postgres(environment, url, 'students', new URL('../students/migrations/', import.meta.url))
}

async function courses(environment: Environment): Promise<Provisioner[]> {
  const { scheme, url } = environment.config.serviceUrl('COURSES_URL', [
    'mongodb',
    'mongodb+srv',
    'postgres',
    'postgresql',
  ])
  if (scheme.startsWith('mongodb')) {
    const [{ MongoIndexes }, { mongoCourses }] = await Promise.all([
      import('../../shared/adapters/mongo-indexes.ts'),
      import('../courses/adapters/mongo-courses.ts'),
    ])
    return [naming(databaseOf('courses'), new MongoIndexes({ url, mapping: mongoCourses }))]
  }
  return postgres(environment, url, 'courses', new URL('../courses/migrations/', import.meta.url))
}

/** A schema, and the functions' roles where there is a key for their passwords: otherwise all come as the owner. */
async function postgres(
  { config }: Environment,
  url: string,
  schema: string,
  folder: URL,
): Promise<Provisioner[]> {
  const key = config.rolesKey()
  const [{ PostgresMigrations }, { PostgresRoles }] = await Promise.all([
    import('../../shared/adapters/postgres-migrations.ts'),
    import('../../shared/adapters/postgres-roles.ts'),
  ])
  const functions = roles.filter(({ service }) => service === schema)
  return [
    new PostgresMigrations({ url, schema, folder }),
    ...(key === undefined ? [] : [new PostgresRoles({ url, schema, functions, key })]),
  ].map((one) => naming(databaseOf(schema), one))
}

/** As the failures of its server name it. */
const databaseOf = (service: string): string => `the database of the ${service}`
