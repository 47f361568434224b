import { randomBytes } from 'node:crypto'
import { secretNames } from '../../shared/config.ts'
import type { Cluster } from './cluster.ts'

/** The servers of knative/base/servers: the Secret with each one's password, and the URL with which functions come. */
const servers: Readonly<
  Record<string, { readonly password: string; readonly url: (password: string) => string }>
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
export async function makeSecrets(cluster: Cluster): Promise<void> {
  for (const [variable, { password, url }] of Object.entries(servers)) {
    const known = await dataOf(cluster, namespace, password, 'password')
    const word = known ?? randomWord()
    if (known === undefined) await create(cluster, namespace, password, { password: word })
    await create(cluster, namespace, secretNames[variable] ?? variable, { url: url(word) })
    if (variable === 'CACHE_URL') await create(cluster, kong.namespace, kong.secret, { password: word })
  }
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
