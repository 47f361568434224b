import type { UrlName } from './configuration.ts'
import { masked, Refusal } from './refusal.ts'

const timeout = 3000

/** Tries a server that the user brings along; refuses with one sentence that says what is wrong, without the password. */
export async function checkUrl(name: UrlName, url: string): Promise<void> {
  const scheme = url.slice(0, url.indexOf(':')).toLowerCase()
  try {
    await probes[scheme]?.(url)
  } catch (error) {
    throw new Refusal(`${name} (${masked(url)}) cannot be used: ${reasonOf(error, url)}.`)
  }
}

const probes: Readonly<Record<string, (url: string) => Promise<void>>> = {
  postgres: probePostgres,
  postgresql: probePostgres,
  mongodb: probeMongodb,
  'mongodb+srv': probeMongodb,
  redis: probeRedis,
  rediss: probeRedis,
  nats: probeNats,
  tls: probeNats,
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
    await redis.ping()
  } catch (error) {
    throw failure ?? error
  } finally {
    redis.disconnect()
  }
}

async function probeNats(url: string): Promise<void> {
  const { connect } = await import('nats')
  const connection = await connect({ ...natsOptions(url), timeout, reconnect: false })
  try {
    await (await connection.jetstreamManager({ timeout })).getAccountInfo()
  } finally {
    await connection.close()
  }
}

/** The `nats` package does not read credentials from a URL: `user:password@` or `token@`. */
export function natsOptions(url: string): {
  servers: string[]
  user?: string
  pass?: string
  token?: string
} {
  const [, scheme = 'nats', credentials, hosts = ''] = /^([a-z]+):\/\/(?:([^@/]*)@)?([^/?]*)/i.exec(url) ?? []
  const servers = hosts.split(',').map((host) => `${scheme}://${host}`)
  if (!credentials) return { servers }
  const [user = '', pass] = credentials.split(':').map(decodeURIComponent)
  return pass === undefined ? { servers, token: user } : { servers, user, pass }
}

function reasonOf(error: unknown, url: string): string {
  const first = error instanceof AggregateError ? error.errors[0] : error
  const code = first instanceof Error && 'code' in first && typeof first.code === 'string' ? first.code : ''
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    CONNECTION_REFUSED: 'nothing listens there',
    ENOTFOUND: 'there is no such host',
    EAI_AGAIN: 'there is no such host',
    ETIMEDOUT: 'it does not answer',
    CONNECT_TIMEOUT: 'it does not answer',
    TIMEOUT: 'it does not answer',
    '503': 'it has no JetStream',
  }
  if (known[code]) return known[code]
  const said = first instanceof Error ? first.message : String(first)
  // A driver may quote the URL.
  const secrets = /\/\/([^@/]*)@/.exec(url)?.[1]?.split(':') ?? []
  const clean = secrets
    .filter((secret) => secret !== '')
    .reduce((text, secret) => text.replaceAll(secret, '***'), said)
  return clean.split('\n')[0]?.trim().replace(/\.$/, '').slice(0, 200) || 'it does not answer'
}
