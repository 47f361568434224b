import { EngineError, type EngineOptions, type RunningEngine } from '../engines/engine.ts'
import type { Guardian } from './guardian.ts'
import type { Output } from './output.ts'
import { Refusal } from './refusal.ts'

export interface SupervisorOptions {
  /** As people know it: Postgres. */
  readonly name: string
  readonly start: (options: EngineOptions) => Promise<RunningEngine>
  readonly dir: string
  readonly password: string
  readonly guardian: Guardian
  readonly output: Output
  /** Told of each process, so that the next start knows whom to wait for. */
  readonly onPid: (name: string, pid: number, stop: NodeJS.Signals) => void
  /** After it came back with its data. */
  readonly onRestart: () => void
}

/** Keeps one engine up: when it dies it is started again on its port, with its data and its password. */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions
  readonly #stopping = new AbortController()
  #engine: RunningEngine | undefined
  #watching: Promise<void> | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.name
  }

  get url(): string {
    return this.#engine?.url ?? ''
  }

  get pid(): number | undefined {
    return this.#engine?.pid
  }

  async start(): Promise<void> {
    try {
      const engine = await this.#launch()
      this.#watching = this.#watch(engine)
    } catch (error) {
      if (error instanceof EngineError) throw new Refusal(sentence(`${this.#options.name}: ${error.message}`))
      throw error
    }
  }

  async #launch(port?: number): Promise<RunningEngine> {
    const { start, dir, password, guardian, onPid, name } = this.#options
    const engine = await start({
      dir,
      password,
      env: guardian.mark,
      signal: this.#stopping.signal,
      ...(port === undefined ? {} : { port }),
      onSpawn: (child, stop) => {
        guardian.watch(child, stop)
        if (child.pid !== undefined) onPid(name, child.pid, stop)
      },
    })
    this.#engine = engine
    return engine
  }

  async #watch(first: RunningEngine): Promise<void> {
    const { name, output, onRestart } = this.#options
    const { signal } = this.#stopping
    let engine = first
    while (true) {
      await engine.exited
      if (signal.aborted) return
      output.event('warn', 'engine died, restarting', { engine: name, pid: engine.pid })
      const again = await this.#relaunch(engine.port)
      if (!again) return
      engine = again
      output.event('info', 'engine restarted', { engine: name, pid: engine.pid })
      onRestart()
    }
  }

  async #relaunch(port: number): Promise<RunningEngine | undefined> {
    const { name, output } = this.#options
    const { signal } = this.#stopping
    for (let wait = 50; !signal.aborted; wait = Math.min(wait * 2, 2000)) {
      try {
        return await this.#launch(port)
      } catch (error) {
        if (signal.aborted) return undefined
        const reason = error instanceof Error ? error.message : String(error)
        output.event('error', 'engine did not come back yet', { engine: name, reason })
        await new Promise((resolve) => setTimeout(resolve, wait))
      }
    }
    return undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#engine?.stop()
    await this.#watching
    // One that was just being started again.
    await this.#engine?.stop()
  }
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)
