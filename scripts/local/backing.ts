import { join } from 'node:path'
import { passwordOf, urlFor } from '../../shared/provision/credentials.ts'
import { backingOf } from '../../shared/spec/backing.ts'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import { natsUsers } from '../credentials/nats-users.ts'
import type { EngineOptions, RunningEngine } from '../engines/engine.ts'
import { startNats } from '../engines/nats.ts'
import { startPostgres } from '../engines/postgres.ts'
import { startRedis } from '../engines/redis.ts'
import { type Configuration, type Urls, urlNames } from './configuration.ts'
import { Supervisor } from './engines.ts'
import type { Guardian } from './guardian.ts'
import { Ledger } from './ledger.ts'
import type { Output } from './output.ts'
import { Refusal } from './refusal.ts'
import { loadSecrets, type Secrets } from './secrets.ts'

interface BackingOptions {
  readonly configuration: Configuration
  readonly functions: readonly DiscoveredFunction[]
  readonly guardian: Guardian
  readonly output: Output
  /** An engine came back after a death. */
  readonly onRestart: () => void
}

type Kind = Exclude<keyof Secrets, 'roles'>

interface Starter {
  readonly title: string
  start(options: EngineOptions): Promise<RunningEngine>
}

const starters = (functions: readonly DiscoveredFunction[], rolesKey: string): Record<Kind, Starter> => ({
  postgres: { title: 'Postgres', start: startPostgres },
  redis: { title: 'Redis', start: startRedis },
  nats: {
    title: 'NATS',
    start: (options) =>
      startNats({ ...options, users: natsUsers(functions, (slug) => passwordOf(rolesKey, slug)) }),
  },
})

/** The engines of a run: those for which the user brings no server. */
export class Backing implements AsyncDisposable {
  /** As their owner. */
  readonly urls: Urls
  /** Where functions are somebody of their own. */
  readonly #ours: ReadonlySet<string>
  readonly #rolesKey: string
  readonly #supervisors: readonly Supervisor[]

  private constructor(
    urls: Urls,
    ours: ReadonlySet<string>,
    rolesKey: string,
    supervisors: readonly Supervisor[],
  ) {
    this.urls = urls
    this.#ours = ours
    this.#rolesKey = rolesKey
    this.#supervisors = supervisors
  }

  /**
   * The servers that a function needs, as what it is there: it may do its own work and no more. At servers of the user's
   * it comes as the user's URL says.
   */
  envOf({ name, declaration }: DiscoveredFunction): Record<string, string> {
    const needed = new Set<string>(backingOf(name, declaration))
    const provisions = declaration.needs.includes('provisioners')
    const urls = urlNames
      .filter((variable) => needed.has(variable))
      .map((variable) => {
        const url = this.urls[variable]
        return [
          variable,
          this.#ours.has(variable) && !provisions ? urlFor(name.slug, url, this.#rolesKey) : url,
        ]
      })
    const roles = provisions && this.#ours.has('STUDENTS_URL') ? { ROLES_KEY: this.#rolesKey } : {}
    return { ...Object.fromEntries(urls), ...roles }
  }

  static async start({
    configuration,
    functions,
    guardian,
    output,
    onRestart,
  }: BackingOptions): Promise<Backing> {
    const { dataDir, urls } = configuration
    const ledger = new Ledger(dataDir)
    await ledger.settle()
    const secrets = await loadSecrets(dataDir)
    const wanted: Record<Kind, boolean> = {
      // MongoDB has no package: without a server of the user's, courses are documents in Postgres.
      postgres: !urls.STUDENTS_URL || !urls.COURSES_URL,
      redis: !urls.CACHE_URL,
      nats: !urls.EVENTS_URL,
    }
    const supervise = (kind: Kind): Supervisor | undefined => {
      if (!wanted[kind]) return undefined
      const { title: name, start } = starters(functions, secrets.roles)[kind]
      const onPid = ledger.add.bind(ledger)
      const dir = join(dataDir, kind)
      return new Supervisor({ name, start, dir, password: secrets[kind], guardian, output, onPid, onRestart })
    }
    const [postgres, redis, nats] = [supervise('postgres'), supervise('redis'), supervise('nats')]
    const supervisors = [postgres, redis, nats].filter((one) => one !== undefined)
    const results = await Promise.allSettled(
      supervisors.map((one) => output.step(one.name, () => one.start())),
    )
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    const ours = new Set<string>(urls.EVENTS_URL ? [] : ['EVENTS_URL'])
    // In a database of the user's nobody makes roles; and where one is the user's, none are made for the other.
    if (!urls.STUDENTS_URL && !urls.COURSES_URL) ours.add('STUDENTS_URL').add('COURSES_URL')
    const backing = new Backing(
      {
        STUDENTS_URL: urls.STUDENTS_URL ?? postgres?.url ?? '',
        COURSES_URL: urls.COURSES_URL ?? postgres?.url ?? '',
        CACHE_URL: urls.CACHE_URL ?? redis?.url ?? '',
        EVENTS_URL: urls.EVENTS_URL ?? nats?.url ?? '',
      },
      ours,
      secrets.roles,
      supervisors,
    )
    if (failures.length === 0) return backing
    await backing[Symbol.asyncDispose]()
    const strange = failures.find((failure) => !(failure instanceof Refusal))
    throw strange ?? new Refusal(...failures.flatMap((failure: Refusal) => failure.problems))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#supervisors.map((one) => one[Symbol.asyncDispose]()))
  }
}
