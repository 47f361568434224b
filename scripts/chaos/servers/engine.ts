import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineOptions, RunningEngine } from '../../engines/engine.ts'
import type { Guardian } from '../../local/guardian.ts'
import { EngineProxy } from './proxy.ts'

export type EngineName = 'postgres' | 'nats' | 'redis' | 'mongodb'

interface Parts {
  readonly name: EngineName
  readonly dir: string
  readonly password: string
  readonly guardian: Guardian
  readonly start: (options: EngineOptions) => Promise<RunningEngine>
}

/** An engine that can die and come back on its port, and the proxy through which all functions reach it. */
export class Engine implements AsyncDisposable {
  readonly name: EngineName
  readonly proxy: EngineProxy
  readonly #parts: Parts
  #running: RunningEngine

  private constructor(parts: Parts, running: RunningEngine, proxy: EngineProxy) {
    this.name = parts.name
    this.proxy = proxy
    this.#parts = parts
    this.#running = running
  }

  static async start(parts: Parts): Promise<Engine> {
    const running = await launch(parts)
    return new Engine(parts, running, await EngineProxy.to(running.url))
  }

  /** Past the proxy: for those who judge. */
  get url(): string {
    return this.#running.url
  }

  get dir(): string {
    return this.#parts.dir
  }

  get pid(): number {
    return this.#running.pid
  }

  /** SIGKILL, and after `down` milliseconds, and `meanwhile`, a new start until it succeeds. */
  async restart(down: number, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    const { port, pid, exited } = this.#running
    process.kill(pid, 'SIGKILL')
    await exited
    await meanwhile()
    await sleep(down)
    for (let tries = 1; ; tries++) {
      try {
        this.#running = await launch(this.#parts, port)
        return
      } catch (error) {
        // Of a Postgres that was killed, backends may live a moment longer.
        if (tries === 40) throw error
        await sleep(250)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]()
    await this.#running.stop()
  }
}

function launch({ dir, password, guardian, start }: Parts, port?: number): Promise<RunningEngine> {
  return start({
    dir,
    password,
    env: guardian.mark,
    onSpawn: (child, stop) => guardian.watch(child, stop),
    ...(port === undefined ? {} : { port }),
  })
}
