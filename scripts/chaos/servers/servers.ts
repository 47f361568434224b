import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { EngineOptions, RunningEngine } from '../../engines/engine.ts'
import { startNats } from '../../engines/nats.ts'
import { startPostgres } from '../../engines/postgres.ts'
import { startRedis } from '../../engines/redis.ts'
import { Guardian } from '../../local/guardian.ts'
import { Engine, type EngineName } from './engine.ts'
import { startMongodb } from './mongodb.ts'

const starters: Record<EngineName, (options: EngineOptions) => Promise<RunningEngine>> = {
  postgres: startPostgres,
  nats: startNats,
  redis: startRedis,
  mongodb: startMongodb,
}

export type Urls = Readonly<Record<'STUDENTS_URL' | 'COURSES_URL' | 'CACHE_URL' | 'EVENTS_URL', string>>

/** The engines of a run, each behind its proxy, in one folder. */
export class Servers implements AsyncDisposable {
  readonly #engines: ReadonlyMap<EngineName, Engine>
  readonly #stack: AsyncDisposableStack

  private constructor(engines: ReadonlyMap<EngineName, Engine>, stack: AsyncDisposableStack) {
    this.#engines = engines
    this.#stack = stack
  }

  static async start(dir: string, courses: 'mongodb' | 'postgres'): Promise<Servers> {
    await using stack = new AsyncDisposableStack()
    const guardian = stack.use(new Guardian())
    const names: EngineName[] = ['postgres', 'nats', 'redis', ...(courses === 'mongodb' ? [courses] : [])]
    const started = await Promise.allSettled(
      names.map(async (name) => {
        const password = randomBytes(12).toString('hex')
        const engine = await Engine.start({
          name,
          dir: join(dir, name),
          password,
          guardian,
          start: starters[name],
        })
        return [name, stack.use(engine)] as const
      }),
    )
    const engines = started.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
    return new Servers(new Map(engines), stack.move())
  }

  get all(): readonly Engine[] {
    return [...this.#engines.values()]
  }

  get(name: EngineName): Engine {
    const engine = this.#engines.get(name)
    if (!engine) throw new Error(`this run has no ${name}`)
    return engine
  }

  /** As the functions reach them. */
  get urls(): Urls {
    return this.#urls(({ proxy }) => proxy.url)
  }

  /** Past the proxies. */
  get directUrls(): Urls {
    return this.#urls(({ url }) => url)
  }

  #urls(of: (engine: Engine) => string): Urls {
    const students = of(this.get('postgres'))
    return {
      STUDENTS_URL: students,
      COURSES_URL: this.#engines.has('mongodb') ? of(this.get('mongodb')) : students,
      CACHE_URL: of(this.get('redis')),
      EVENTS_URL: of(this.get('nats')),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}
