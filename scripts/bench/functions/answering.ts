import type { GrpcTrigger, HttpTrigger } from '../../../shared/spec/define-function.ts'
import type { FunctionName } from '../../../shared/spec/names.ts'
import { H2c } from '../../../shared/testing/h2c.ts'
import { Connection, requestOf } from '../connection.ts'
import { lookupOf, mainOperation, requestsOf } from './requests.ts'
import { firstOf, perCall, roundsOfWarm, type Scene, type Subject } from './subject.ts'

/** Asks one thing after another, and is told `200 miss`: the status, and what the cache had to do with it. */
type Client = (n: number) => Promise<string>

interface Open extends AsyncDisposable {
  readonly clients: readonly Client[]
}

interface Asking {
  readonly trigger: string
  /** The status of success. */
  readonly success: string
  readonly cached: boolean
  readonly open: (port: number, clients: number) => Promise<Open>
}

/** As many as the other loads have. */
const clients = 16
/**
 * A share of answers that may be others: whoever waits while a server of a busy machine stands still for a second is
 * refused, and what a few of a thousand took is lost in the median of the rounds.
 */
const tolerated = 0.02

export function httpSubject(scene: Scene, name: FunctionName, trigger: HttpTrigger): Subject {
  const operation = mainOperation(trigger)
  const make = requestsOf(name.service, operation, scene.filled)
  const cached = operation.cache !== undefined
  return answering(scene, name, {
    trigger: `${operation.method} ${operation.path}`,
    success: String(operation.success.status),
    cached,
    async open(port, many) {
      const stack = new AsyncDisposableStack()
      const connections = await Promise.all(Array.from({ length: many }, () => Connection.open(port)))
      for (const connection of connections) stack.use(connection)
      const all = connections.map((connection) => async (n: number) => {
        const { status, head, body } = await connection.request(requestOf(make(n)))
        if (status >= 400) return `${status} ${body}`
        return said(status, cached ? /^cache-status: (.*)$/m.exec(head)?.[1] : undefined)
      })
      return { clients: all, [Symbol.asyncDispose]: () => stack.disposeAsync() }
    },
  })
}

export function grpcSubject(scene: Scene, name: FunctionName, { service, method }: GrpcTrigger): Subject {
  return answering(scene, name, {
    trigger: `gRPC ${method}`,
    success: '0',
    cached: true,
    async open(port, many) {
      // As a function asks: all that it has to ask goes over one connection.
      const lookup = new H2c(`http://127.0.0.1:${port}`)
      const client: Client = async (n) => {
        const { status, headers } = await lookup.call(`/${service}/${method}`, lookupOf(name.service, n))
        return said(status, headers['cache-status']?.toString())
      }
      const all = Array.from({ length: many }, () => client)
      return { clients: all, [Symbol.asyncDispose]: () => lookup[Symbol.asyncDispose]() }
    },
  })
}

/** `200 miss` of `registrar; fwd=miss; stored`. */
function said(status: number | string | undefined, cacheStatus: string | undefined): string {
  const cache = /^registrar; (?:fwd=)?(\w+)/.exec(cacheStatus ?? '')?.[1]
  return cache === undefined ? `${status}` : `${status} ${cache}`
}

function answering({ spawn, redis }: Scene, { full }: FunctionName, asking: Asking): Subject {
  const { trigger, success, cached, open } = asking
  const fresh = cached ? `${success} miss` : success
  return {
    per: 'request',
    trigger,
    start: (n) =>
      firstOf(
        () => spawn(full),
        async (child) => {
          await using all = await open(await child.ready, 1)
          await ask(all.clients, n, 1, fresh)
        },
      ),
    async warm(from, calls) {
      await using child = spawn(full)
      await using all = await open(await child.ready, clients)
      // What others have asked, or this one before, is in the cache.
      await redis.flushdb()
      const firstTime = await perCall(child, calls, (round) =>
        ask(all.clients, from + round * calls, calls, fresh),
      )
      if (!cached) return { fresh: firstTime }
      const last = from + (roundsOfWarm - 1) * calls
      const again = await perCall(child, calls, () => ask(all.clients, last, calls, `${success} hit`))
      return { fresh: firstTime, again }
    },
  }
}

/** So many things, each of them once, by all clients at once. */
async function ask(all: readonly Client[], from: number, calls: number, expected: string): Promise<void> {
  let n = from
  const strange: string[] = []
  const busy = async (client: Client): Promise<void> => {
    while (n < from + calls) {
      const answer = await client(n++)
      if (answer !== expected) strange.push(answer)
    }
  }
  await Promise.all(all.map(busy))
  if (strange.length > calls * tolerated)
    throw new Error(
      `${strange.length} of ${calls} answers were not ${expected}: ${strange[0]?.slice(0, 1000)}`,
    )
}
