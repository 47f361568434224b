import { Connection, requestOf, type Sent } from './connection.ts'
import { filled } from './ids.ts'
import { quantile } from './statistics.ts'

// A process of its own, so that the server has the other core: keeps some connections busy, each with one request after
// the other, and tells what came of it.

export interface Plan {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Path and body may have `$student`, `$course` and `$n`, filled in anew for each request. */
  readonly request: Sent
  /** The first of the numbers for those, and how many there are: the round ends when they are used up. */
  readonly from: number
  readonly count?: number
  readonly status: number
  /** What the head of every answer must have. */
  readonly marker?: string
}

export interface Load {
  readonly requests: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Answers with another status, or without the marker; the first of them. */
  readonly strange: number
  readonly example?: string
}

const maker = ({ path, body, ...rest }: Sent): ((n: number) => string) => {
  const isFixed = !path.includes('$') && !body?.includes('$')
  const fixed = requestOf({ path, ...(body === undefined ? {} : { body }), ...rest })
  if (isFixed) return () => fixed
  return (n) =>
    requestOf({ path: filled(path, n), ...(body === undefined ? {} : { body: filled(body, n) }), ...rest })
}

async function load(plan: Plan): Promise<Load> {
  const make = maker(plan.request)
  const { status, marker, count = Number.POSITIVE_INFINITY } = plan
  const connections = await Promise.all(
    Array.from({ length: plan.connections }, () => Connection.open(plan.port)),
  )
  const latencies: number[] = []
  let n = plan.from
  const last = plan.from + count
  let strange = 0
  let example: string | undefined
  const began = performance.now()
  const end = began + plan.seconds * 1000
  await Promise.all(
    connections.map(
      (connection) =>
        new Promise<void>((resolve, reject) => {
          let sent = 0
          const next = (): void => {
            sent = performance.now()
            if (sent >= end || n >= last) {
              resolve()
              return
            }
            connection.exchange(make(n++), (error, answer) => {
              if (!answer) {
                reject(error)
                return
              }
              latencies.push(performance.now() - sent)
              if (answer.status !== status || (marker && !answer.head.includes(marker))) {
                strange++
                example ??= `${answer.head}\n${answer.body}`.slice(0, 1000)
              }
              next()
            })
          }
          next()
        }),
    ),
  )
  const seconds = (performance.now() - began) / 1000
  for (const connection of connections) connection[Symbol.dispose]()
  const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)]
  return { requests: latencies.length, seconds, p50, p99, strange, ...(example ? { example } : {}) }
}

process.on('message', (plan: Plan) => {
  load(plan).then(
    (result) => process.send?.({ type: 'load', result }),
    (error: unknown) => process.send?.({ type: 'failed', error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => process.exit(0))
process.send?.({ type: 'ready', port: 0 })
