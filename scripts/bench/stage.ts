import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { bundleFunctions } from '../build/bundle.ts'
import { bundleArguments } from '../build/current.ts'
import type { EngineOptions } from '../engines/engine.ts'
import { startNats } from '../engines/nats.ts'
import { startPostgres } from '../engines/postgres.ts'
import { startRedis } from '../engines/redis.ts'
import { Guardian } from '../local/guardian.ts'
import { isAlive } from '../local/process-table.ts'
import { Child } from './process.ts'
import type { Say } from './result.ts'

export interface Urls extends Record<string, string> {
  readonly STUDENTS_URL: string
  readonly COURSES_URL: string
  readonly CACHE_URL: string
  readonly EVENTS_URL: string
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>
  /** From the sources by type stripping, not from the bundle. */
  readonly sources?: boolean
  /** For Node, before everything else. */
  readonly flags?: readonly string[]
}

const root = join(import.meta.dirname, '../..')
const prefix = 'registrar-bench-'
const bundlesIn = (dir: string): string => join(dir, 'dist')

/** Engines, bundles and databases of the benchmark's own, below one folder; disposing it ends and removes all of it. */
export class Stage implements AsyncDisposable {
  readonly dir: string
  readonly urls: Urls
  readonly root = root
  readonly bundles: string
  /** The engines' versions, by name. */
  readonly versions: Readonly<Record<string, string>>
  readonly #guardian: Guardian
  readonly #stack: AsyncDisposableStack

  private constructor(
    parts: Pick<Stage, 'dir' | 'urls' | 'versions'>,
    guardian: Guardian,
    stack: AsyncDisposableStack,
  ) {
    this.dir = parts.dir
    // Not into dist/: its code caches would be those of whatever ran there.
    this.bundles = bundlesIn(parts.dir)
    this.urls = parts.urls
    this.versions = parts.versions
    this.#guardian = guardian
    this.#stack = stack
  }

  static async open(say: Say): Promise<Stage> {
    await using stack = new AsyncDisposableStack()
    await sweep()
    const dir = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`))
    stack.defer(() => rm(dir, { recursive: true, force: true }))
    const guardian = stack.use(new Guardian())
    const options = (name: string): EngineOptions => ({
      dir: join(dir, name),
      password: randomBytes(12).toString('hex'),
      env: guardian.mark,
      onSpawn: (child, stop) => guardian.watch(child, stop),
    })
    say('starting Postgres, Redis and NATS; bundling the functions')
    const parts = await Promise.allSettled([
      startPostgres(options('postgres')).then((engine) => stack.use(engine)),
      startRedis(options('redis')).then((engine) => stack.use(engine)),
      startNats(options('nats')).then((engine) => stack.use(engine)),
      bundleFunctions(root, bundlesIn(dir)),
    ])
    for (const part of parts) if (part.status === 'rejected') throw part.reason
    const [database, cache, events] = parts
    if (database.status !== 'fulfilled' || cache.status !== 'fulfilled' || events.status !== 'fulfilled')
      throw new Error('an engine is missing')
    const urls = {
      STUDENTS_URL: database.value.url,
      COURSES_URL: database.value.url,
      CACHE_URL: cache.value.url,
      EVENTS_URL: events.value.url,
    }
    const versions = await versionsOf(urls, events.value.monitor)
    const stage = new Stage({ dir, urls, versions }, guardian, stack.move())
    await stage.initialize(urls)
    return stage
  }

  /** One function as a process of its own, alive until it is disposed of; nothing of it is waited for. */
  spawn(name: string, { env = {}, sources = false, flags = [] }: SpawnOptions = {}): Child {
    const args = sources ? [join(root, 'shared/hosts/main.ts'), name] : bundleArguments(this.bundles, name)
    return this.#node(name, [...flags, ...args], { ...this.urls, FUNCTION: name, ...env })
  }

  hello(): Child {
    return this.#node('hello', [join(import.meta.dirname, 'hello.cjs')], {})
  }

  /** A script of this repository. */
  script(path: string, env: Readonly<Record<string, string>> = {}): Child {
    return this.#node(path, [join(root, path)], env)
  }

  /** Schemas, streams and consumers. */
  async initialize(urls: Urls): Promise<void> {
    await this.spawn('platform/initialize', { env: urls }).done()
  }

  /** Another database on the same server, with the schemas; its cache is another one too. */
  async database(name: string, cache: number): Promise<Urls> {
    await using sql = open(this.urls.STUDENTS_URL)
    await sql.sql.unsafe(`create database ${name}`)
    const url = new URL(this.urls.STUDENTS_URL)
    url.pathname = name
    const cacheUrl = new URL(this.urls.CACHE_URL)
    cacheUrl.pathname = String(cache)
    const urls = { ...this.urls, STUDENTS_URL: url.href, COURSES_URL: url.href, CACHE_URL: cacheUrl.href }
    await this.initialize(urls)
    return urls
  }

  async dropDatabase(name: string): Promise<void> {
    await using sql = open(this.urls.STUDENTS_URL)
    await sql.sql.unsafe(`drop database ${name} with (force)`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  #node(name: string, args: readonly string[], env: Readonly<Record<string, string>>): Child {
    const { PATH = '/usr/bin:/bin', HOME = '/' } = process.env
    const common = { PATH, HOME, ...this.#guardian.mark, HOST: '127.0.0.1', PORT: '0' }
    const options = { name, args, cwd: root, env: { ...common, ...env }, guardian: this.#guardian }
    return new Child(options)
  }
}

export interface Database extends AsyncDisposable {
  readonly sql: postgres.Sql
}

/** One connection, for what the benchmark itself has to do in a database. */
export function open(url: string): Database {
  const sql = postgres(url, { max: 1, onnotice: () => {}, fetch_types: false })
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 5 }) }
}

async function versionsOf(urls: Urls, monitor: string): Promise<Record<string, string>> {
  await using database = open(urls.STUDENTS_URL)
  const [row] = await database.sql`select current_setting('server_version') as version`
  const answer = await fetch(`http://${monitor}/varz`)
  const { version }: { version?: string } = JSON.parse(await answer.text())
  return { Postgres: String(row?.['version']), NATS: version ?? 'unknown', ...(await redisVersion(urls)) }
}

async function redisVersion({ CACHE_URL }: Urls): Promise<Record<string, string>> {
  const { Redis } = await import('ioredis')
  const redis = new Redis(CACHE_URL)
  try {
    const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1]
    return { Redis: version ?? 'unknown' }
  } finally {
    redis.disconnect()
  }
}

/** A run that was killed could not remove its folder; it may hold a million rows. */
async function sweep(): Promise<void> {
  const names = await readdir(tmpdir())
  const left = names.filter(
    (name) => name.startsWith(prefix) && !isAlive(Number.parseInt(name.slice(prefix.length), 10)),
  )
  await Promise.all(left.map((name) => rm(join(tmpdir(), name), { recursive: true, force: true })))
}
