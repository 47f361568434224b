import { randomBytes } from 'node:crypto'
import { passwordOf } from '../../shared/provision/credentials.ts'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import { natsUsers } from '../credentials/nats-users.ts'
import { rolesSecret, secretsOf } from '../credentials/secrets.ts'
import { authorization } from '../engines/nats.ts'
import { type UrlName, urlNames } from '../local/configuration.ts'
import type { Cluster } from './cluster.ts'

/** The servers of knative/base/servers: the Secret with each one's password, and the URL with which their owner comes. */
const servers: Readonly<
  Record<UrlName, { readonly password: string; readonly url: (password: string) => string }>
> = {
  STUDENTS_URL: {
    password: 'postgres-password',
    url: (password) => `postgres://registrar:${password}@postgres:5432/registrar`,
  },
  COURSES_URL: {
    password: 'mongodb-password',
    url: (password) => `mongodb://registrar:${password}@mongodb:27017/registrar?authSource=admin`,
  },
  CACHE_URL: { password: 'redis-password', url: (password) => `redis://:${password}@redis:6379` },
  EVENTS_URL: { password: 'nats-password', url: (password) => `nats://registrar:${password}@nats:4222` },
}

const namespace = 'registrar'
/** Kong's own namespace, and the name there of the password with which it counts requests in Redis. */
export const kong = { namespace: 'kong', secret: 'registrar-redis' } as const
export const apiKey = { secret: 'registrar-api-key', label: 'konghq.com/credential' } as const

/** Makes what is missing, with random passwords: what is there stays, for servers have it in their data. */
export async function makeSecrets(cluster: Cluster, functions: readonly DiscoveredFunction[]): Promise<void> {
  const known = (name: string, key: string): Promise<string> =>
    dataOf(cluster, namespace, name, key).then((found) => found ?? randomWord())
  const roles = await known(rolesSecret, 'key')
  const words = {
    STUDENTS_URL: await known(servers.STUDENTS_URL.password, 'password'),
    COURSES_URL: await known(servers.COURSES_URL.password, 'password'),
    CACHE_URL: await known(servers.CACHE_URL.password, 'password'),
    EVENTS_URL: await known(servers.EVENTS_URL.password, 'password'),
  }
  const users = natsUsers(functions, (slug) => passwordOf(roles, slug))
  for (const variable of urlNames) {
    const password = words[variable]
    const more =
      variable === 'EVENTS_URL'
        ? { 'authorization.conf': authorization(JSON.stringify(password), users) }
        : {}
    await create(cluster, namespace, servers[variable].password, { password, ...more })
  }
  await create(cluster, kong.namespace, kong.secret, { password: words.CACHE_URL })
  const urls = {
    STUDENTS_URL: servers.STUDENTS_URL.url(words.STUDENTS_URL),
    COURSES_URL: servers.COURSES_URL.url(words.COURSES_URL),
    CACHE_URL: servers.CACHE_URL.url(words.CACHE_URL),
    EVENTS_URL: servers.EVENTS_URL.url(words.EVENTS_URL),
  }
  for (const [name, data] of Object.entries(secretsOf(functions, urls, roles)))
    await create(cluster, namespace, name, data)
  if ((await keyOf(cluster)) === undefined)
    await create(cluster, namespace, apiKey.secret, { key: randomWord() }, { [apiKey.label]: 'key-auth' })
}

/** The key of the API, for whoever made the cluster. */
export const keyOf = (cluster: Cluster): Promise<string | undefined> =>
  dataOf(cluster, namespace, apiKey.secret, 'key')

async function dataOf(
  cluster: Cluster,
  namespace: string,
  name: string,
  key: string,
): Promise<string | undefined> {
  const found = await cluster.kubectl([
    ...['get', 'secret', name, '--namespace', namespace, '--ignore-not-found'],
    ...['-o', `jsonpath={.data.${key}}`],
  ])
  return found.trim() === '' ? undefined : Buffer.from(found, 'base64').toString()
}

async function create(
  cluster: Cluster,
  namespace: string,
  name: string,
  stringData: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  const metadata = { name, namespace, labels: { 'app.kubernetes.io/part-of': 'registrar', ...labels } }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata, stringData }
  // By stdin: arguments can be read by everybody on this machine.
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(secret) })
}

/** A letter first, and no other signs: it is a part of URLs, and of NATS' configuration, which reads numbers as numbers. */
const randomWord = (): string => `k${randomBytes(18).toString('hex')}`
