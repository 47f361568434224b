import { Config, ConfigurationError } from '../config.ts'
import { slugOf } from '../spec/names.ts'

/** What a service's wiring is given: the configuration, and a place for what must be closed at the end. */
export class Environment implements AsyncDisposable {
  /** `students/get` */
  readonly function: string
  readonly config: Config
  readonly #stack = new AsyncDisposableStack()
  readonly #shared = new Map<string, AsyncDisposable>()

  constructor(name: string, config = new Config(undefined, { slug: slugOf(name) })) {
    this.function = name
    this.config = config
  }

  /** The one instance under a key, made when first asked for and closed with the environment, last made first. */
  share<T extends AsyncDisposable>(key: string, make: () => T): T {
    const there = this.#shared.get(key)
    // Each key is used by one wiring function, for one type.
    if (there) return there as T
    const made = make()
    this.#shared.set(key, made)
    this.#stack.use(made)
    return made
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

/** Makes one dependency. */
export type Wire<T = unknown> = (environment: Environment) => Promise<T>

export type Wires = Readonly<Record<string, Wire>>

/** Every dependency by its name. @throws ConfigurationError with all that is wrong for all of them. */
export async function wireAll(environment: Environment, wires: Wires): Promise<Record<string, unknown>> {
  const names = Object.keys(wires)
  const made = await together(names.map((name) => wires[name]?.(environment)))
  return Object.fromEntries(names.map((name, i) => [name, made[i]]))
}

/** As Promise.all, but of configurations that are wrong it tells every one. */
export async function together<const T extends readonly unknown[]>(
  parts: T,
): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }> {
  const settled = await Promise.allSettled(parts)
  const errors = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  const problems = errors.flatMap((error) => (error instanceof ConfigurationError ? error.problems : []))
  if (problems.length > 0) throw new ConfigurationError([...new Set(problems)])
  if (errors.length > 0) throw errors[0]
  return Promise.all(parts)
}
