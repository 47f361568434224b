import type { Cache } from '../../cache/cache.ts'

export type OpenCache = Cache & AsyncDisposable

/** A server that nobody else uses, which the tests may stop, kill and empty. */
export interface CacheServer extends AsyncDisposable {
  /** What one process of a service has: a connection of its own. */
  open(service: string): OpenCache
  /** Loses everything. */
  flush(): Promise<void>
  /** Loses the generation of one namespace, as when memory is short. */
  evict(service: string, namespace: string): Promise<void>
  /** How long they are kept from now on, in seconds. */
  secondsLeft(
    service: string,
    namespace: string,
    variant: string,
  ): Promise<{ generation: number; value: number }>
  pause(): void
  resume(): void
  kill(): Promise<void>
  /** After `kill`, at the same address. */
  restart(): Promise<void>
}

/** What the contract needs to know of an adapter. */
export interface CacheSubject {
  start(): Promise<CacheServer>
}
