import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  EngineError,
  type EngineOptions,
  launch,
  onFreePort,
  type RunningEngine,
} from '../../engines/engine.ts'
import { onPath } from '../../engines/find.ts'
import { findGo } from '../../engines/go.ts'
import { buildStandin } from '../../mongo-standin/build.ts'

/** A mongod of the PATH, else the stand-in, which Go builds; either keeps what it acknowledged through a SIGKILL. */
export async function startMongodb(options: EngineOptions): Promise<RunningEngine> {
  const mongod = onPath('mongod')
  const command = mongod ?? (await standin())
  const data = join(options.dir, 'data')
  await mkdir(data, { recursive: true })
  return onFreePort(options.port, (port) =>
    launch({
      name: 'mongodb',
      command,
      args: mongod
        ? ['--port', `${port}`, '--bind_ip', '127.0.0.1', '--dbpath', data]
        : ['--listen', `127.0.0.1:${port}`, '--state-dir', data],
      options,
      stop: 'SIGTERM',
      port,
      url: (at) => `mongodb://127.0.0.1:${at}/registrar`,
      ready: (log) => /^ready mongodb:|Waiting for connections/m.test(log),
    }),
  )
}

async function standin(): Promise<string> {
  const go = findGo()
  if (!go)
    throw new EngineError(
      'there is no mongod on the PATH and no Go to build the stand-in with: run it with --courses postgres',
    )
  return buildStandin(go, (line) => process.stderr.write(`${line}\n`))
}
