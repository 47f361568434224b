import { join } from 'node:path'
import type { EngineOptions, RunningEngine } from '../engines/engine.ts'
import { startNats } from '../engines/nats.ts'
import { startPostgres } from '../engines/postgres.ts'
import { startRedis } from '../engines/redis.ts'
import type { Configuration, Urls } from './configuration.ts'
import { Supervisor } from './engines.ts'
import type { Guardian } from './guardian.ts'
import { Ledger } from './ledger.ts'
import type { Output } from './output.ts'
import { Refusal } from './refusal.ts'
import { loadSecrets, type Secrets } from './secrets.ts'

interface BackingOptions {
  readonly configuration: Configuration
  readonly guardian: Guardian
  readonly output: Output
  /** An engine came back after a death. */
  readonly onRestart: () => void
}

type Kind = keyof Secrets

const starters: Record<
  Kind,
  { readonly title: string; start(options: EngineOptions): Promise<RunningEngine> }
> = {
  postgres: { title: 'Postgres', start: startPostgres },
  redis: { title: 'Redis', start: startRedis },
  nats: { title: 'NATS', start: startNats },
}

/** The engines of a run: those for which the user brings no server. */
export class Backing implements AsyncDisposable {
  readonly urls: Urls
  readonly #supervisors: readonly Supervisor[]

  private constructor(urls: Urls, supervisors: readonly Supervisor[]) {
    this.urls = urls
    this.#supervisors = supervisors
  }

  static async start({ configuration, guardian, output, onRestart }: BackingOptions): Promise<Backing> {
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
      const { title: name, start } = starters[kind]
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
    const backing = new Backing(
      {
        STUDENTS_URL: urls.STUDENTS_URL ?? postgres?.url ?? '',
        COURSES_URL: urls.COURSES_URL ?? postgres?.url ?? '',
        CACHE_URL: urls.CACHE_URL ?? redis?.url ?? '',
        EVENTS_URL: urls.EVENTS_URL ?? nats?.url ?? '',
      },
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
