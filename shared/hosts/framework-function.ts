import { Environment } from '../wiring/environment.ts'
import { type Assembly, startTelemetry, type Wired, wire } from './host.ts'

/** How a function becomes ready to serve, the first time that somebody needs it. */
export interface FrameworkFunctionOptions<T> {
  /** `students/get` */
  readonly name: string
  readonly load: () => Promise<Assembly>
  readonly make: (assembly: Assembly, wired: Wired, environment: Environment) => T | Promise<T>
  readonly environment?: Environment | undefined
}

/** A function of the framework: assembled at its first invocation, and tried again by the next one where that failed. */
export class FrameworkFunction<T> implements AsyncDisposable {
  readonly #options: FrameworkFunctionOptions<T>
  #environment: Environment | undefined
  #ready: Promise<T> | undefined

  constructor(options: FrameworkFunctionOptions<T>) {
    this.#options = options
  }

  ready(): Promise<T> {
    this.#ready ??= this.#assemble()
    return this.#ready
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ready?.catch(() => {})
    await this.#environment?.[Symbol.asyncDispose]()
    this.#environment = undefined
    this.#ready = undefined
  }

  async #assemble(): Promise<T> {
    const { name, load, make, environment = new Environment(name) } = this.#options
    try {
      await startTelemetry(environment)
      const assembly = await load()
      const made = await make(assembly, await wire(environment, assembly), environment)
      this.#environment = environment
      return made
    } catch (error) {
      this.#ready = undefined
      await environment[Symbol.asyncDispose]().catch(() => {})
      throw error
    }
  }
}
