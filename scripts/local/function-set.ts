import { scalingOf, type Trigger } from '../../shared/spec/define-function.ts'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import type { FunctionName } from '../../shared/spec/names.ts'
import { Activator } from './activator.ts'
import { Cron } from './cron.ts'
import type { FunctionProcess, Surroundings } from './function-process.ts'
import { Scaler } from './scaler.ts'
import { TcpActivator } from './tcp-activator.ts'

interface FunctionSetOptions {
  readonly functions: readonly DiscoveredFunction[]
  readonly around: Surroundings
  readonly idleMs: number
}

/** Name of the variable that tells where a lookup is reached: STUDENTS_BY_COURSE_URL. */
export const lookupVariable = ({ slug }: FunctionName): string =>
  `${slug.replaceAll('-', '_').toUpperCase()}_URL`

/** All functions of a run, each scaled by its trigger. */
export class FunctionSet implements AsyncDisposable {
  /** HTTP functions by slug. */
  readonly http = new Map<string, Activator>()
  readonly #lookups: { readonly activator: Activator; readonly listener: TcpActivator }[] = []
  readonly #options: FunctionSetOptions
  #scaler: Scaler | undefined
  #cron: Cron | undefined

  constructor(options: FunctionSetOptions) {
    this.#options = options
    for (const fn of this.#ofKind('http')) this.http.set(fn.name.slug, this.#activator(fn))
  }

  /** Opens the lookups' listeners; their addresses by variable. */
  async listen(): Promise<Record<string, string>> {
    const urls: Record<string, string> = {}
    for (const fn of this.#ofKind('grpc')) {
      const activator = this.#activator(fn)
      const listener = new TcpActivator(activator, timeoutOf(fn))
      urls[lookupVariable(fn.name)] = await listener.listen()
      this.#lookups.push({ activator, listener })
    }
    return urls
  }

  /** Begins to watch the consumers and the clock; after the initializer. */
  begin(eventsUrl: string): void {
    const { functions, around, idleMs } = this.#options
    const workers = functions.flatMap((fn) => {
      const { trigger } = fn.declaration
      return trigger.kind === 'stream' ? [{ fn, trigger }] : []
    })
    this.#scaler = new Scaler({ url: eventsUrl, workers, around, idleMs })
    const scheduled = functions.flatMap(({ name, declaration: { trigger } }) =>
      trigger.kind === 'cron' ? [{ name, trigger }] : [],
    )
    this.#cron = new Cron(scheduled, around)
  }

  /** Something died: see about what it left behind. */
  afterDeath(): void {
    this.#cron?.afterDeath()
  }

  /** The sources have changed: what is asked next runs the new ones. */
  renew(): void {
    for (const activator of this.http.values()) activator.renew()
    for (const { activator } of this.#lookups) activator.renew()
    this.#scaler?.renew()
  }

  get processes(): FunctionProcess[] {
    const lookups = this.#lookups.map(({ activator }) => activator)
    const answering = [...this.http.values(), ...lookups].flatMap(({ processes }) => processes)
    return [...answering, ...(this.#scaler?.processes ?? []), ...(this.#cron?.processes ?? [])]
  }

  hurry(): void {
    for (const process of this.processes) process.kill()
  }

  #ofKind(kind: Trigger['kind']): DiscoveredFunction[] {
    return this.#options.functions.filter(({ declaration }) => declaration.trigger.kind === kind)
  }

  #activator(fn: DiscoveredFunction): Activator {
    const { around, idleMs } = this.#options
    const { concurrency } = scalingOf(fn.declaration)
    return new Activator({ name: fn.name, around, idleMs, timeout: timeoutOf(fn), concurrency })
  }

  /** What calls lookups ends before them. */
  async [Symbol.asyncDispose](): Promise<void> {
    const callers = [...this.http.values()].map((activator) => activator.stop())
    await Promise.all([
      ...callers,
      this.#scaler?.[Symbol.asyncDispose](),
      this.#cron?.[Symbol.asyncDispose](),
    ])
    await Promise.all(this.#lookups.map(({ activator }) => activator.stop()))
    await Promise.all(this.#lookups.map(({ listener }) => listener[Symbol.asyncDispose]()))
  }
}

/** A function answers 504 by itself at its time; the gateway gives it a moment to. */
const timeoutOf = ({ declaration }: DiscoveredFunction): number => scalingOf(declaration).timeout * 1000 + 500
