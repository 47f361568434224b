import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import postgres from 'postgres'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { launch, onFreePort, type RunningEngine } from '../../scripts/engines/engine.ts'
import { onPath } from '../../scripts/engines/find.ts'
import { findGo } from '../../scripts/engines/go.ts'
import { Guardian } from '../../scripts/local/guardian.ts'
import { buildStandin } from '../../scripts/mongo-standin/build.ts'
import { overPostgres, type Place } from '../../scripts/mongo-standin/over-postgres.ts'
import { postgresUrl } from './engines.ts'

/** What speaks MongoDB's protocol here: a server that is given, a mongod, the stand-in, or nothing. */
type Means =
  | { readonly kind: 'given'; readonly url: string }
  | { readonly kind: 'mongod' | 'standin'; readonly command: string }
  | { readonly kind: 'none'; readonly reason: string }

async function means(): Promise<Means> {
  const url = process.env['TEST_MONGODB_URL']
  return url ? { kind: 'given', url } : ownMeans()
}

async function ownMeans(): Promise<Means> {
  const mongod = onPath('mongod')
  if (mongod) return { kind: 'mongod', command: mongod }
  const go = findGo()
  if (!go)
    return { kind: 'none', reason: 'no TEST_MONGODB_URL, no mongod on the PATH, no Go to build the stand-in' }
  try {
    const command = await buildStandin(go, (line) => process.stderr.write(`${line}\n`))
    return { kind: 'standin', command }
  } catch (error) {
    return {
      kind: 'none',
      reason: `the stand-in could not be built: ${error instanceof Error ? error.message : error}`,
    }
  }
}

/** Whether the tests can have a server of their own, to stop and to kill. */
export async function canStartMongo(): Promise<boolean> {
  return (await ownMeans()).kind !== 'none'
}

export interface TestMongo extends AsyncDisposable {
  /** With a database of its own in its path. */
  readonly url: string
}

/** A server that the tests may stop and kill. */
export interface OwnMongo extends TestMongo {
  readonly engine: RunningEngine
}

/** An empty database, dropped at the end. */
export async function testMongo(): Promise<TestMongo> {
  const found = await means()
  if (found.kind !== 'given') return ownMongo('postgres')
  const url = new URL(found.url)
  url.pathname = `test_${randomBytes(6).toString('hex')}`
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      await using client = new MongoClient(url.href)
      await client.db().dropDatabase()
    },
  }
}

/**
 * A server of its own. The stand-in is faster over Postgres, where it takes a database of the tests' server, than in
 * memory once there are some hundred documents; in memory it needs nothing else.
 */
export async function ownMongo(storage: 'postgres' | 'memory'): Promise<OwnMongo> {
  const found = await ownMeans()
  if (found.kind !== 'mongod' && found.kind !== 'standin') throw new Error('there is no MongoDB to start')
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'registrar-mongo-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const where = found.kind === 'mongod' ? await dataIn(dir) : await dataOf(storage, stack)
  const guardian = stack.use(new Guardian())
  const engine = await onFreePort(undefined, (port) =>
    launch({
      name: found.kind,
      command: found.command,
      args: [...where.args, ...listening(found.kind, port)],
      env: where.env,
      options: {
        dir,
        password: '',
        env: guardian.mark,
        onSpawn: (child, stop) => guardian.watch(child, stop),
      },
      stop: 'SIGTERM',
      port,
      url: (at) => `mongodb://127.0.0.1:${at}/test`,
      ready: (log) => /^ready mongodb:|Waiting for connections/m.test(log),
    }),
  )
  stack.use(engine)
  const all = stack.move()
  return { url: engine.url, engine, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

function listening(kind: 'mongod' | 'standin', port: number): string[] {
  return kind === 'mongod'
    ? ['--port', `${port}`, '--bind_ip', '127.0.0.1']
    : ['--listen', `127.0.0.1:${port}`]
}

async function dataIn(dir: string): Promise<Place> {
  const data = join(dir, 'data')
  await mkdir(data)
  return { args: ['--dbpath', data], env: {} }
}

async function dataOf(storage: 'postgres' | 'memory', stack: AsyncDisposableStack): Promise<Place> {
  if (storage === 'memory') return { args: ['--memory'], env: {} }
  const name = `mongo_${randomBytes(6).toString('hex')}`
  const url = new URL(postgresUrl())
  const admin = async (text: string): Promise<void> => {
    const sql = postgres(postgresUrl(), { max: 1, onnotice: () => {} })
    await sql.unsafe(text).finally(() => sql.end())
  }
  await admin(`create database ${name}`)
  stack.defer(() => admin(`drop database ${name} with (force)`))
  url.pathname = name
  return overPostgres(url.href)
}

/**
 * Tests that need MongoDB's protocol; `own` ones need a server that they may stop, which a given one is not. Without one
 * it says so, and fails where CI=true: nobody shall take silence for success.
 */
export async function describeMongo(name: string, need: 'any' | 'own', tests: () => void): Promise<void> {
  const found = need === 'any' ? await means() : await ownMeans()
  if (found.kind !== 'none') {
    describe(name, tests)
    return
  }
  const missing = `${name}: DID NOT RUN, for there is no MongoDB: ${found.reason}`
  process.stderr.write(`\n${missing}\n\n`)
  if (process.env['CI'] === 'true') it(missing, () => expect.fail(found.reason))
  else describe.skip(missing, () => it.todo('runs'))
}

/** Fails when the tests leave a connection open. Call it before anything connects. */
export function noLeakedConnection(): void {
  const sockets = (): number =>
    process.getActiveResourcesInfo().filter((one) => one === 'TCPSocketWrap').length
  const before = sockets()
  afterAll(async () => {
    await vi.waitFor(() => expect(sockets()).toBeLessThanOrEqual(before), { timeout: 20_000 })
  })
}
