import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Cache } from '../cache/cache.ts'
import { within } from '../within.ts'

export interface RedisCacheOptions {
  readonly url: string
  /** The service whose data it keeps: the first part of its keys. */
  readonly service: string
}

/** Longest that a call waits for Redis, in milliseconds. */
const patience = 250
/** How long readers do without Redis after it did not answer, in milliseconds; writers always try. */
const pause = 1000

const generationSeconds = 3600
const valueSeconds = { least: 270, most: 300 }

interface Found {
  generation?: string
  value?: string
}

interface Read extends PromiseWithResolvers<Found> {
  readonly keys: readonly [generation: string, value: string]
}

/** The value, if it is of the generation. */
function fresh(generation: string | null | undefined, packed: string | null | undefined): Found {
  if (!generation) return {}
  if (!packed?.startsWith(`${generation}\n`)) return { generation }
  return { generation, value: packed.slice(generation.length + 1) }
}

/** The cache on Redis: `cg:` keys hold generations, `cv:` keys a generation and a value. */
export class RedisCache implements Cache, AsyncDisposable {
  readonly #redis: Redis
  readonly #service: string
  readonly #connected: Promise<void>
  /** Those of this turn of the event loop, by what they ask for. */
  #reads = new Map<string, Read>()
  #down = 0
  #reconnected: Promise<void> | undefined

  constructor({ url, service }: RedisCacheOptions) {
    this.#service = service
    this.#redis = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      commandTimeout: patience,
      // A server that vanished without a word never ends the connection: one that does not answer is left for another.
      socketTimeout: 3000,
      connectTimeout: 1000,
      enableReadyCheck: false,
      disableClientInfo: true,
      retryStrategy: (attempt) => Math.min(50 * attempt, 500),
    })
    // Without a listener a lost connection is an uncaught error; what it breaks rejects by itself.
    this.#redis.on('error', (error: unknown) => {
      // The driver would go on in database 0, where there is not the one that the URL names.
      if (isOfSelect(error)) this.#redis.disconnect()
    })
    this.#connected = this.#redis.connect().catch(() => {})
  }

  /**
   * Reads of one turn of the event loop leave as one command, in which each key is asked for once: a command costs more
   * than its keys, and a thousand readers of one value no more than one.
   */
  read(namespace: string, variant: string): Promise<Found> {
    const value = this.#valueKey(namespace, variant)
    let read = this.#reads.get(value)
    if (!read) {
      if (this.#reads.size === 0) setImmediate(() => void this.#readAll())
      read = { keys: [this.#generationKey(namespace), value], ...Promise.withResolvers<Found>() }
      this.#reads.set(value, read)
    }
    return read.promise
  }

  async #readAll(): Promise<void> {
    const reads = [...this.#reads.values()]
    this.#reads = new Map()
    try {
      const values = await this.#try((redis) => redis.mget(reads.flatMap(({ keys }) => keys)))
      for (const [i, { resolve }] of reads.entries()) resolve(fresh(values[2 * i], values[2 * i + 1]))
    } catch (error) {
      for (const { reject } of reads) reject(error)
    }
  }

  generation(namespace: string): Promise<string> {
    const key = this.#generationKey(namespace)
    return this.#try(async (redis) => {
      const made = randomBytes(12).toString('base64url')
      for (let attempt = 0; attempt < 3; attempt++) {
        if (await redis.set(key, made, 'EX', generationSeconds, 'NX')) return made
        const other = await redis.get(key)
        if (other) return other
      }
      throw new Error('the generation changes faster than it can be read')
    })
  }

  async write(namespace: string, variant: string, generation: string, value: string): Promise<void> {
    const { least, most } = valueSeconds
    const seconds = least + Math.floor(Math.random() * (most - least + 1))
    await this.#try((redis) =>
      redis.set(this.#valueKey(namespace, variant), `${generation}\n${value}`, 'EX', seconds),
    )
  }

  async invalidate(namespaces: readonly string[]): Promise<void> {
    if (namespaces.length === 0) return
    this.#down = 0
    await this.#try((redis) => redis.del(...namespaces.map((namespace) => this.#generationKey(namespace))))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect()
  }

  async #try<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    if (this.#down > performance.now()) throw new Error('Redis did not answer a moment ago')
    try {
      if (this.#redis.status !== 'ready') await this.#ready()
      return await work(this.#redis)
    } catch (error) {
      this.#down = performance.now() + pause
      throw error
    }
  }

  /** Waits for the first connection, or for the next one, as long as a call may wait. */
  async #ready(): Promise<void> {
    const connected = [this.#connected, this.#redis.status === 'ready' ? undefined : this.#next()]
    await within(patience, Promise.all(connected), () => new Error('Redis is not connected'))
  }

  /** The next connection, for all who wait. */
  #next(): Promise<void> {
    this.#reconnected ??= new Promise((resolve) => {
      this.#redis.once('ready', () => {
        this.#reconnected = undefined
        resolve()
      })
    })
    return this.#reconnected
  }

  #generationKey(namespace: string): string {
    return `cg:${this.#service}:${namespace}`
  }

  #valueKey(namespace: string, variant: string): string {
    return `cv:${this.#service}:${namespace}:${variant}`
  }
}

function isOfSelect(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('command' in error)) return false
  const { command } = error
  return typeof command === 'object' && command !== null && 'name' in command && command.name === 'select'
}
