import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { inject } from 'vitest'
import type { TestProject } from 'vitest/node'
import type { EngineOptions, RunningEngine } from '../../scripts/engines/engine.ts'
import { startNats } from '../../scripts/engines/nats.ts'
import { startPostgres } from '../../scripts/engines/postgres.ts'
import { startRedis } from '../../scripts/engines/redis.ts'
import { Guardian } from '../../scripts/local/guardian.ts'
import { removeFolder, testFolder } from './temporary.ts'

/** Servers for integration tests, each with its credentials in its URL. */
export interface TestEngines {
  readonly postgres: string
  readonly redis: string
  readonly nats: string
}

declare module 'vitest' {
  interface ProvidedContext {
    engines: TestEngines
  }
}

type Kind = keyof TestEngines

const kinds: Record<
  Kind,
  { readonly variable: string; start(options: EngineOptions): Promise<RunningEngine> }
> = {
  postgres: { variable: 'TEST_POSTGRES_URL', start: startPostgres },
  redis: { variable: 'TEST_REDIS_URL', start: startRedis },
  nats: { variable: 'TEST_NATS_URL', start: startNats },
}

/**
 * vitest's globalSetup: real engines, once per run, in a folder and on ports of their own; those whose URL is in the
 * environment are taken instead. No process of it survives the run, a SIGKILL of it included.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = new AsyncDisposableStack()
  try {
    const dir = await testFolder()
    stack.defer(() => removeFolder(dir))
    // The workers have it from here, and give it to all that they start.
    process.env['TMPDIR'] = dir
    const guardian = stack.use(new Guardian())
    const start = async (kind: Kind): Promise<string> => {
      const { variable, start } = kinds[kind]
      const given = process.env[variable]
      if (given) return given
      const password = randomBytes(12).toString('hex')
      const options = { dir: join(dir, kind), password, env: guardian.mark }
      const engine = stack.use(
        await start({ ...options, onSpawn: (child, stop) => guardian.watch(child, stop) }),
      )
      return engine.url
    }
    const started = await Promise.allSettled([start('postgres'), start('redis'), start('nats')])
    const [postgres, redis, nats] = started.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
    project.provide('engines', { postgres: postgres ?? '', redis: redis ?? '', nats: nats ?? '' })
    return () => stack.disposeAsync()
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

export const postgresUrl = (): string => inject('engines').postgres
export const redisUrl = (): string => inject('engines').redis
export const natsUrl = (): string => inject('engines').nats
