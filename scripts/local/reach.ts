import { natsAddress } from '../../shared/adapters/nats-address.ts'
import type { UrlName } from './configuration.ts'
import { greet, type Hello, hellos, Stranger } from './hello.ts'
import { masked, Refusal } from './refusal.ts'

const timeout = 3000

/** Tries a server that the user brings along; refuses with one sentence that says what is wrong, without the password. */
export async function checkUrl(name: UrlName, url: string): Promise<void> {
  const kind = kinds[url.slice(0, url.indexOf(':')).toLowerCase()]
  if (!kind) return
  try {
    await greetAll(url, kind)
    await kind.probe(url)
  } catch (error) {
    throw new Refusal(`${name} (${masked(url)}) cannot be used: ${reasonOf(error, url, kind)}.`)
  }
}

interface Kind {
  /** As people know it. */
  readonly title: string
  readonly probe: (url: string) => Promise<void>
  readonly port: number
  /** None where only the driver finds the way to its hosts. */
  readonly hello?: Hello
}

const postgresKind: Kind = {
  title: 'Postgres server',
  probe: probePostgres,
  port: 5432,
  hello: hellos.postgres,
}
const srvKind: Kind = { title: 'MongoDB server', probe: probeMongodb, port: 27_017 }
const redisKind: Kind = { title: 'Redis server', probe: probeRedis, port: 6379, hello: hellos.redis }
const natsKind: Kind = { title: 'NATS server', probe: probeNats, port: 4222, hello: hellos.nats }

const kinds: Readonly<Record<string, Kind>> = {
  postgres: postgresKind,
  postgresql: postgresKind,
  mongodb: { ...srvKind, hello: hellos.mongodb },
  'mongodb+srv': srvKind,
  redis: redisKind,
  rediss: { ...redisKind, title: 'Redis server with TLS', hello: { ...hellos.redis, tls: true } },
  nats: natsKind,
  tls: natsKind,
}

/** One that can be reached is enough, but none may be another's. */
async function greetAll(url: string, { port, hello }: Kind): Promise<void> {
  const hosts = /^[^/]*\/\/(?:[^/?]*@)?([^/?]*)/.exec(url)?.[1]?.split(',') ?? []
  const urls = hosts.map((host) => `tcp://${host}`).filter((one) => URL.canParse(one))
  if (!hello || urls.length === 0) return
  // Only MongoDB's option says so; Postgres is asked, and `rediss://` has said it.
  const tls = hello.tls ?? /[?&](tls|ssl)=true/i.test(url)
  const greeted = await Promise.allSettled(
    urls.map((one) => {
      const { hostname, port: own } = new URL(one)
      return greet(hostname.replace(/^\[(.*)\]$/, '$1'), Number(own || port), { ...hello, tls }, timeout)
    }),
  )
  const failures = greeted.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  const stranger = failures.find((failure) => failure instanceof Stranger)
  if (stranger || failures.length === urls.length) throw stranger ?? failures[0]
}

async function probePostgres(url: string): Promise<void> {
  const { default: postgres } = await import('postgres')
  const sql = postgres(url, { max: 1, connect_timeout: timeout / 1000, onnotice: () => {} })
  try {
    await sql`select 1`
  } finally {
    await sql.end({ timeout: 0 })
  }
}

async function probeMongodb(url: string): Promise<void> {
  const { MongoClient } = await import('mongodb')
  const client = new MongoClient(url, { serverSelectionTimeoutMS: timeout, connectTimeoutMS: timeout })
  try {
    await client.db().command({ ping: 1 })
  } finally {
    await client.close(true)
  }
}

async function probeRedis(url: string): Promise<void> {
  const { Redis } = await import('ioredis')
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeout,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  })
  let failure: Error | undefined
  redis.on('error', (error: Error) => {
    failure ??= error
  })
  try {
    await redis.connect()
    // The driver goes on in another database where there is not the one that the URL names.
    await redis.select(redis.options.db ?? 0)
    await redis.ping()
  } catch (error) {
    throw failure ?? error
  } finally {
    redis.disconnect()
  }
}

async function probeNats(url: string): Promise<void> {
  const { connect } = await import('nats')
  const connection = await connect({ ...natsAddress(url), timeout, reconnect: false })
  try {
    await (await connection.jetstreamManager({ timeout })).getAccountInfo()
  } finally {
    await connection.close()
  }
}

function reasonOf(error: unknown, url: string, { title }: Kind): string {
  if (error instanceof Stranger) return `no ${title} answers there`
  const first = error instanceof AggregateError ? error.errors[0] : error
  const code = first instanceof Error && 'code' in first && typeof first.code === 'string' ? first.code : ''
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    CONNECTION_REFUSED: 'nothing listens there',
    ENOTFOUND: 'there is no such host',
    EAI_AGAIN: 'there is no such host',
    EHOSTUNREACH: 'there is no way to that host',
    ENETUNREACH: 'there is no way to that host',
    ETIMEDOUT: 'it does not answer',
    CONNECT_TIMEOUT: 'it does not answer',
    TIMEOUT: 'it does not answer',
    '503': 'it has no JetStream',
    // The one option of NATS that is asked for.
    SERVER_OPT_NA: 'it does not speak TLS',
  }
  if (known[code]) return known[code]
  const said = first instanceof Error ? first.message : String(first)
  // A server, or a driver, may quote the URL.
  const [user = '', password = user] = (/\/\/([^@/]*)@/.exec(url)?.[1] ?? '').split(':')
  const clean = [password, decoded(password)]
    .filter((secret) => secret !== '')
    .reduce((text, secret) => text.replaceAll(secret, '***'), said)
  return clean.split('\n')[0]?.trim().replace(/\.$/, '').slice(0, 200) || 'it does not answer'
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
