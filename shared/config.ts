import { readFileSync } from 'node:fs'

/** Everything that is wrong with the configuration, in one error. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`the configuration is not complete:\n${problems.map((one) => `  ${one}`).join('\n')}`)
    this.problems = problems
  }
}

/** The environment, read here and nowhere else. */
export type Variables = Readonly<Record<string, string | undefined>>

/** Where OpenFaaS puts secrets, each as a file of its name; it has no other way to hand one over. */
export const secretsFolder = '/var/openfaas/secrets'

/** The secret that holds a variable's value where the environment does not. */
export const secretNames: Readonly<Record<string, string>> = {
  STUDENTS_URL: 'registrar-students-db',
  COURSES_URL: 'registrar-courses-db',
  CACHE_URL: 'registrar-cache',
  EVENTS_URL: 'registrar-events',
  ROLES_KEY: 'registrar-roles-key',
}

/** The same of one function, at servers where it is somebody of its own: `registrar-students-get-db`. */
export function ownSecretName(variable: string, slug: string): string | undefined {
  const server = { STUDENTS_URL: 'db', COURSES_URL: 'db', EVENTS_URL: 'events' }[variable]
  return server && `registrar-${slug}-${server}`
}

export interface ConfigOptions {
  /** The function's, whose own secrets come before those of all. */
  readonly slug?: string
  /** The folder of secrets. */
  readonly secrets?: string
}

/** What a function may be told from outside; nothing is read before it is asked for. */
export class Config {
  readonly #variables: Variables
  readonly #secrets: string
  readonly #slug: string | undefined

  constructor(variables: Variables = process.env, { slug, secrets = secretsFolder }: ConfigOptions = {}) {
    this.#variables = variables
    this.#secrets = secrets
    this.#slug = slug
  }

  /** A backing service's URL, whose scheme picks its adapter. */
  serviceUrl<S extends string>(variable: string, schemes: readonly S[]): { scheme: S; url: string } {
    const url = this.#variables[variable] || this.#secret(variable)
    if (!url) throw new ConfigurationError([`${variable} is not set: it is a URL, ${wanted(schemes)}`])
    const parsed = URL.parse(withOneHost(url))
    const scheme = schemes.find((one) => parsed?.protocol === `${one}:`)
    // Never the value: it may hold a password.
    if (!parsed?.hostname || !scheme)
      throw new ConfigurationError([`${variable} is not a URL, ${wanted(schemes)}`])
    if (!namesDatabase(parsed))
      throw new ConfigurationError([`${variable} names no database of Redis: those are whole numbers`])
    return { scheme, url }
  }

  /** From which the passwords of the functions derive; without one they have no roles of their own. */
  rolesKey(): string | undefined {
    const key = this.#variables['ROLES_KEY'] || this.#secret('ROLES_KEY')
    if (key !== undefined && key.length < 32)
      throw new ConfigurationError(['ROLES_KEY is too short: it is a random word of 32 or more characters'])
    return key || undefined
  }

  /** Where a lookup of the other service answers. */
  lookupUrl(variable: string): string {
    return this.serviceUrl(variable, ['http', 'https']).url
  }

  /** The flags of a command line, without their values. */
  flag(name: string): boolean {
    return process.argv.includes(`--${name}`)
  }

  /** Where to listen: `HOST`, by default every interface, as containers need; `PORT`, by default 8080. */
  listen(): { host: string | undefined; port: number } {
    return { host: this.#variables['HOST'] || undefined, port: this.#integer('PORT', 8080, 0, 65_535) }
  }

  /** Most messages of one consumer that may be under way: 1 is one operation at a time, as in the original. */
  maxAckPending(): number {
    return this.#integer('MAX_ACK_PENDING', 64, 1, 10_000)
  }

  /** Servers that keep each stream: as many as the cluster has, at most 5; 1 where NATS is one server. */
  streamReplicas(): number {
    return this.#integer('STREAM_REPLICAS', 1, 1, 5)
  }

  /** How long the initializer waits for servers that are not there yet: of a deployment, where all start at once. */
  waitSeconds(): number {
    return this.#integer('WAIT_SECONDS', 0, 0, 3600)
  }

  /** Spans are sent only where this names an OTLP endpoint. */
  otlpEndpoint(): string | undefined {
    return this.#webUrl('OTEL_EXPORTER_OTLP_ENDPOINT')
  }

  /** Where a process that ends pushes its metrics by OTLP, over HTTP; without it they are only there to be scraped. */
  otlpMetricsEndpoint(): string | undefined {
    return this.#webUrl('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT')
  }

  #webUrl(variable: string): string | undefined {
    const url = this.#variables[variable] || undefined
    const parsed = url === undefined ? undefined : URL.parse(url)
    if (url === undefined || parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return url
    throw new ConfigurationError([`${variable} is not a URL, ${wanted(['http', 'https'])}`])
  }

  #secret(variable: string): string | undefined {
    const own = this.#slug === undefined ? undefined : ownSecretName(variable, this.#slug)
    for (const name of [own, secretNames[variable]]) {
      if (name === undefined) continue
      try {
        return readFileSync(`${this.#secrets}/${name}`, 'utf8').trim()
      } catch {
        // Elsewhere there is no such folder, and on OpenFaaS not every secret is every function's.
      }
    }
    return undefined
  }

  #integer(variable: string, otherwise: number, least: number, most: number): number {
    const text = this.#variables[variable]
    if (text === undefined || text === '') return otherwise
    const value = Number(text)
    if (/^\d+$/.test(text) && least <= value && value <= most) return value
    throw new ConfigurationError([`${variable} is not a whole number from ${least} to ${most}`])
  }
}

/** A driver would go on in database 0, among keys that are somebody else's. */
export const namesDatabase = ({ protocol, pathname }: URL): boolean =>
  !/^rediss?:$/.test(protocol) || /^\/?\d{0,5}$/.test(pathname)

const wanted = (schemes: readonly string[]): string => schemes.map((scheme) => `${scheme}://`).join(' or ')

/** Lists of hosts, as MongoDB and NATS have them, are no URLs to the parser: the first stands for all. */
export function withOneHost(url: string): string {
  return url.replace(/^([^/]*\/\/(?:[^@/]*@)?[^/?,]*)(,[^/?]*)/, '$1')
}
