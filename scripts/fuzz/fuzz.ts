import { Campaign } from './campaign.ts'
import { Client } from './connection.ts'
import { Description } from './openapi.ts'
import { argumentsOf, readOptions, usage } from './options.ts'
import type { Origin } from './render.ts'
import { reported } from './report.ts'
import { stalls } from './stalls.ts'
import { type System, startSystem } from './system.ts'

// npm run fuzz: what openapi.json promises, held against a system that is asked for everything.

const options = readOptions(process.argv.slice(2), process.env)
if (options === undefined) {
  console.log(usage)
  process.exit(0)
}
if (typeof options === 'string') {
  console.error(`${options}\n\n${usage}`)
  process.exit(1)
}

const { requests, seed, lanes } = options
await using stack = new AsyncDisposableStack()
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    stopping.abort()
    void stack.disposeAsync().finally(() => process.exit(1))
  })
const own = options.origin === undefined
if (own) console.error('starting a system on engines of its own')
const origin: Origin = options.origin ?? (await started()).origin
const refusal = await unreachable(origin)
if (refusal) {
  console.error(refusal)
  process.exitCode = 1
} else {
  console.log(`seed ${seed}`)
  const began = performance.now()
  const seconds = (): number => (performance.now() - began) / 1000
  const progress = (sent: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r${sent} of ${requests}, ${seconds().toFixed(0)} s`)
    else if (sent % 5000 === 0) console.error(`${sent} of ${requests}, ${seconds().toFixed(0)} s`)
  }
  const campaign = new Campaign({ origin, description: new Description(), requests, seed, lanes, progress })
  const [report, stalled] = await Promise.all([campaign.run(), options.stalls ? stalls(origin) : []])
  if (process.stderr.isTTY) process.stderr.write('\n')
  console.log(reported(report, seconds(), origin.key))
  for (const { rule, what } of stalled) console.log(`FOUND  ${rule}: ${what}`)
  if (report.found.length + stalled.length > 0) {
    console.log(`again: npm run fuzz -- ${argumentsOf(options).join(' ')}`)
    process.exitCode = 1
  }
  if (!own) {
    const { made, left } = await campaign.clean()
    console.log(`${made - left} of ${made} that were made are removed again`)
  }
}

/** Whoever stops while it starts waits until what was started has gone again. */
async function started(): Promise<System> {
  const starting = startSystem(stopping.signal)
  stack.defer(async () => {
    const system = await starting.catch(() => undefined)
    await system?.[Symbol.asyncDispose]()
  })
  return starting.catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error
    // Nothing is to be said of it: the process is about to end.
    return new Promise<never>(() => {})
  })
}

/** Why nothing can be asked at all: one sentence instead of thousands of faults. */
async function unreachable({ hostname, port, key }: Origin): Promise<string | undefined> {
  using client = new Client(hostname, port)
  const head = `GET /api/students?limit=1 HTTP/1.1\r\nHost: ${hostname}:${port}\r\nx-api-key: ${key}\r\n\r\n`
  const asks = [{ method: 'GET', path: '/api/students', worth: 'valid' as const }]
  const outcome = await client.fire({ family: 'valid', pieces: [head], pause: 0, ends: false, asks })
  if (outcome.refused) return `http://${hostname}:${port} does not answer: it refuses connections`
  const status = outcome.answers[0]?.status
  if (status === 401) return `http://${hostname}:${port} does not know this key`
  if (status !== 200)
    return `http://${hostname}:${port} answers ${status ?? 'nothing'}: it is not a gateway of Registrar's`
  return undefined
}
