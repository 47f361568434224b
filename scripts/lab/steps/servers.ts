import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import type { OwnerUrls } from '../../credentials/secrets.ts'
import { launch, onFreePort } from '../../engines/engine.ts'
import { findGo } from '../../engines/go.ts'
import { startPostgres } from '../../engines/postgres.ts'
import { startRedis } from '../../engines/redis.ts'
import { Guardian } from '../../local/guardian.ts'
import { Refusal } from '../../local/refusal.ts'
import { buildStandin } from '../../mongo-standin/build.ts'
import { overPostgres } from '../../mongo-standin/over-postgres.ts'
import type { Lab } from '../lab.ts'

export interface Servers extends AsyncDisposable {
  /** As pods know them, with passwords. */
  readonly urls: OwnerUrls
}

const node = '10.99.0.1'

/** Postgres, Redis and MongoDB's stand-in on this machine's loopback, for the pods at the node's address. NATS is the lab's own. */
export async function startServers(lab: Lab): Promise<Servers> {
  const go = findGo()
  if (!go) throw new Refusal('There is no Go to build the stand-in for MongoDB with.')
  const binary = await buildStandin(go)
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'registrar-lab-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const guardian = stack.use(new Guardian())
  const password = randomBytes(12).toString('hex')
  const options = (name: string) => ({
    dir: join(dir, name),
    password,
    env: guardian.mark,
    onSpawn: guardian.watch.bind(guardian),
  })
  const students = stack.use(await startPostgres(options('postgres')))
  const cache = stack.use(await startRedis(options('redis')))
  const documents = new URL(students.url)
  documents.pathname = 'documents'
  const sql = postgres(students.url, { max: 1, onnotice: () => {} })
  await sql.unsafe('create database documents').finally(() => sql.end())
  const place = overPostgres(documents.href)
  const courses = stack.use(
    await onFreePort(undefined, (port) =>
      launch({
        name: 'mongo-standin',
        command: binary,
        args: [...place.args, '--listen', `127.0.0.1:${port}`],
        env: place.env,
        options: options('mongo'),
        stop: 'SIGTERM',
        port,
        url: (at) => `mongodb://127.0.0.1:${at}/registrar`,
        ready: (log) => /^ready mongodb:/m.test(log),
      }),
    ),
  )
  await lab.host([5432, students.port], [6379, cache.port], [27_017, courses.port])
  const urls: OwnerUrls = {
    STUDENTS_URL: at(students.url, 5432),
    COURSES_URL: at(courses.url, 27_017),
    CACHE_URL: at(cache.url, 6379),
    EVENTS_URL: 'nats://nats.nats.svc.cluster.local:4222',
  }
  const all = stack.move()
  return { urls, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

const at = (url: string, port: number): string => url.replace(/127\.0\.0\.1:\d+/, `${node}:${port}`)
