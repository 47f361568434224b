import { createHash } from 'node:crypto'
import type { Call } from '../http/call.ts'
import type { HttpResponse } from '../http/message.ts'
import type { Operation } from '../spec/define-function.ts'
import { type CacheResult, observeCache } from '../tallies.ts'
import type { Middleware } from './middleware.ts'

/** What the host needs of the cache-aside reader in shared/cache/. */
export interface CacheReader {
  /**
   * The value of a variant in a namespace, loaded where the cache has none that is fresh.
   * A failing cache counts as none; a failing `load` fails the call, and nothing is kept.
   */
  through(
    namespace: string,
    variant: string,
    load: () => Promise<string>,
  ): Promise<{ value: string; result: CacheResult }>
}

/** Answers what the operation declares as cached from the cache, and says so in Cache-Status (RFC 9211). */
export function caching(cache: CacheReader | undefined): Middleware<Call, HttpResponse> {
  return (next) => async (call, context) => {
    const namespace = cache && namespaceOf(call)
    if (!namespace) {
      const response = await next(call, context)
      return call.operation.method === 'GET' ? withStatus(response, 'bypass') : response
    }
    const variant = call.operation.cache === 'list' ? hash(call.query) : ''
    const { value, result } = await cache.through(namespace, variant, async () =>
      pack(await next(call, context)),
    )
    observeCache(context.function, result)
    return withStatus(unpack(value), result)
  }
}

const statuses: Record<CacheResult, string> = {
  hit: 'registrar; hit',
  miss: 'registrar; fwd=miss; stored',
  bypass: 'registrar; fwd=bypass',
}

export const cacheStatus = (result: CacheResult): string => statuses[result]

function withStatus(response: HttpResponse, result: CacheResult): HttpResponse {
  response.headers['cache-status'] ??= statuses[result]
  return response
}

function namespaceOf({
  operation,
  params,
}: {
  operation: Operation
  params: Call['params']
}): string | undefined {
  switch (operation.cache) {
    case undefined:
      return undefined
    case 'list':
      return 'list'
    case 'id':
      return `id:${params['id'] ?? ''}`
    default:
      return operation.cache satisfies never
  }
}

/** A key for a query that is the same for the same parameters, in whatever order they came. */
function hash(query: unknown): string {
  const entries = Object.entries(query ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(entries)).digest('base64url').slice(0, 22)
}

/** Headers in one line of JSON, then the body as it is: a hit costs no parsing of the body. */
function pack({ headers, body = '' }: HttpResponse): string {
  return `${JSON.stringify(headers)}\n${typeof body === 'string' ? body : Buffer.from(body).toString()}`
}

let last:
  | { readonly value: string; readonly head: Readonly<Record<string, string>>; readonly body: string }
  | undefined

/** Many readers of one value are given the very same string: it is taken apart once. */
function unpack(value: string): HttpResponse {
  if (last?.value !== value) {
    const end = value.indexOf('\n')
    last = { value, head: JSON.parse(value.slice(0, end)), body: value.slice(end + 1) }
  }
  return { status: 200, headers: { ...last.head }, body: last.body }
}
