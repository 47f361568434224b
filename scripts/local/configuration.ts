import { join, resolve } from 'node:path'
import { Config, ConfigurationError, namesDatabase, withOneHost } from '../../shared/config.ts'
import { Refusal } from './refusal.ts'

export const urlNames = ['STUDENTS_URL', 'COURSES_URL', 'CACHE_URL', 'EVENTS_URL'] as const
export type UrlName = (typeof urlNames)[number]
export type Urls = Readonly<Record<UrlName, string>>

export interface Configuration {
  /** The tree that holds functions/ and kong/. */
  readonly root: string
  /** Absolute. */
  readonly dataDir: string
  /** As it was given, for messages. */
  readonly shownDataDir: string
  readonly port: number
  readonly idleMs: number
  readonly apiKey: string | undefined
  /** The servers that the user brings along. */
  readonly urls: Readonly<Partial<Record<UrlName, string>>>
  readonly watch: boolean
  /** Processes without which the run is to end, beside the npm above it. */
  readonly ownerPids: readonly number[]
  /** Of the user's environment, what every function gets. */
  readonly childEnv: Readonly<Record<string, string>>
}

export const schemes: Record<UrlName, readonly string[]> = {
  STUDENTS_URL: ['postgres', 'postgresql'],
  COURSES_URL: ['mongodb', 'mongodb+srv', 'postgres', 'postgresql'],
  CACHE_URL: ['redis', 'rediss'],
  EVENTS_URL: ['nats', 'tls'],
}

export interface Source {
  readonly root: string
  readonly env: Readonly<NodeJS.ProcessEnv>
  readonly args?: readonly string[]
}

/** The configuration of a start; what is wrong with it is told all at once. An empty variable counts as not set. */
export function readConfiguration({ root, env, args = [] }: Source): Configuration {
  const problems: string[] = []
  const get = (name: string): string | undefined => env[name] || undefined
  const complain = (problem: string): void => {
    problems.push(problem)
  }

  const port = get('PORT') ?? '8000'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
    complain(`PORT must be a whole number from 0 (any free port) to 65535, not "${port}".`)
  }
  const idle = get('IDLE_SECONDS') ?? '30'
  if (!/^\d+(\.\d+)?$/.test(idle) || Number(idle) <= 0 || Number(idle) > 86_400) {
    complain(`IDLE_SECONDS must be a number of seconds above 0 and up to 86400, not "${idle}".`)
  }
  const apiKey = get('API_KEY')
  if (apiKey !== undefined && !/^[\x21-\x7e]{1,512}$/.test(apiKey)) {
    complain('API_KEY must consist of 1 to 512 printable ASCII characters without spaces.')
  }
  const owners = get('OWNER_PIDS')
  if (owners !== undefined && !/^[1-9]\d{0,9}(,[1-9]\d{0,9})*$/.test(owners)) {
    complain(`OWNER_PIDS must be process ids with commas between them, not "${owners}".`)
  }
  // Read by the functions, whose word on it this is; but one that is wrong shall not start engines first.
  const theirs = new Config(env)
  for (const read of [
    () => theirs.maxAckPending(),
    () => theirs.otlpEndpoint(),
    () => theirs.otlpMetricsEndpoint(),
  ]) {
    try {
      read()
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      for (const problem of error.problems) complain(`${problem}.`)
    }
  }
  for (const arg of args) if (arg !== '--watch') complain(`There is no option "${arg}": only --watch.`)

  const urls: Partial<Record<UrlName, string>> = {}
  for (const name of urlNames) {
    const value = get(name)
    if (value === undefined) continue
    const problem = urlProblem(value, schemes[name])
    if (problem) complain(`${name} ${problem}.`)
    urls[name] = value
  }

  if (problems.length > 0) throw new Refusal(...problems)
  const given = get('DATA_DIR')
  const shown = given ?? '.registrar'
  const dataDir = given ? resolve(given) : join(root, shown)
  const childEnv = childEnvironment(env)
  const watch = args.includes('--watch')
  return {
    root,
    dataDir,
    shownDataDir: shown,
    port: Number(port),
    idleMs: Number(idle) * 1000,
    apiKey,
    urls,
    watch,
    ownerPids: owners?.split(',').map(Number) ?? [],
    childEnv,
  }
}

function urlProblem(value: string, allowed: readonly string[]): string | undefined {
  const ways = allowed.map((scheme) => `${scheme}://`).join(' or ')
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase()
  if (scheme === undefined) return `is not a URL: it must begin with ${ways}`
  if (!allowed.includes(scheme)) return `must begin with ${ways}, not ${scheme}://`
  const single = withOneHost(value)
  const parsed = URL.parse(single)
  if (!parsed?.hostname) return 'is not a URL that can be read'
  if (!namesDatabase(parsed)) return 'names no database of Redis: those are whole numbers'
  return undefined
}

const plain = new Set(['PATH', 'HOME', 'TZ', 'LANG', 'LC_ALL', 'TMPDIR', 'MAX_ACK_PENDING'])
/** What a parent with an IPC channel leaves in ours, and what would cost each start 70 ms. */
const kept = new Set([
  'NODE_EXTRA_CA_CERTS',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
  'NODE_UNIQUE_ID',
])

/** Only what a function needs: the key of the gateway, above all, does not reach it. */
function childEnvironment(env: Readonly<NodeJS.ProcessEnv>): Record<string, string> {
  const passed: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || kept.has(name)) continue
    if (plain.has(name) || name.startsWith('OTEL_') || name.startsWith('NODE_')) passed[name] = value
  }
  return passed
}
