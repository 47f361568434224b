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

/** What a function may be told from outside; nothing is read before it is asked for. */
export class Config {
  readonly #variables: Variables

  constructor(variables: Variables = process.env) {
    this.#variables = variables
  }

  /** A backing service's URL, whose scheme picks its adapter. */
  serviceUrl<S extends string>(variable: string, schemes: readonly S[]): { scheme: S; url: string } {
    const url = this.#variables[variable]
    if (!url) throw new ConfigurationError([`${variable} is not set: it is a URL, ${wanted(schemes)}`])
    const parsed = URL.parse(withOneHost(url))
    const scheme = schemes.find((one) => parsed?.protocol === `${one}:`)
    // Never the value: it may hold a password.
    if (!parsed?.hostname || !scheme)
      throw new ConfigurationError([`${variable} is not a URL, ${wanted(schemes)}`])
    return { scheme, url }
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

  /** Spans are sent only where this names an OTLP endpoint. */
  otlpEndpoint(): string | undefined {
    return this.#variables['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined
  }

  #integer(variable: string, otherwise: number, least: number, most: number): number {
    const text = this.#variables[variable]
    if (text === undefined || text === '') return otherwise
    const value = Number(text)
    if (/^\d+$/.test(text) && least <= value && value <= most) return value
    throw new ConfigurationError([`${variable} is not a whole number from ${least} to ${most}`])
  }
}

const wanted = (schemes: readonly string[]): string => schemes.map((scheme) => `${scheme}://`).join(' or ')

/** Lists of hosts, as MongoDB and NATS have them, are no URLs to the parser: the first stands for all. */
export function withOneHost(url: string): string {
  return url.replace(/^([^/]*\/\/(?:[^@/]*@)?[^/?,]*)(,[^/?]*)/, '$1')
}
