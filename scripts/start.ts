import { join } from 'node:path'
import { readConfiguration } from './local/configuration.ts'
import { Output } from './local/output.ts'
import { onOwnerDeath } from './local/owners.ts'
import { Refusal } from './local/refusal.ts'
import { type Run, startRun } from './local/run.ts'

// npm start: real engines, the initializer, and a gateway that starts each function when it is asked for.

process.title = 'registrar'
const { env } = process
const output = new Output()
const stopping = new AbortController()
let run: Run | undefined
let owners: Disposable | undefined
let signals = 0
let last = Number.NEGATIVE_INFINITY

/** A Ctrl-C comes from the terminal and once more from npm: within so many milliseconds it is the same one. */
const sameSignal = 300

/** The first time in good order, the second in a hurry, the third at once: the guardian sees to the rest. */
function stop(why: string): void {
  const now = performance.now()
  if (now - last < sameSignal) return
  last = now
  signals++
  if (signals === 1) {
    output.line(`stopping (${why})`)
    stopping.abort(new Refusal())
  } else if (signals === 2) run?.hurry()
  else process.exit(1)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal))

/** Something that no one foresaw: told once, then everything is stopped as usual. */
function broken(error: unknown): void {
  process.exitCode = 1
  output.warn(error instanceof Error ? (error.stack ?? error.message) : String(error))
  if (signals === 0) stop('an unexpected error')
}
process.on('uncaughtException', broken)
process.on('unhandledRejection', broken)

async function main(): Promise<void> {
  const root = join(import.meta.dirname, '..')
  const configuration = readConfiguration({ root, env, args: process.argv.slice(2) })
  owners = onOwnerDeath(env, configuration.ownerPids, (title) => {
    // Whoever is told to end and tells us so ends by itself right after: that is no second word.
    if (signals === 0) stop(`${title} has ended`)
  })
  run = await startRun(configuration, output, stopping.signal)
  const { port, apiKey } = run
  const url = `http://localhost:${port}`
  output.line('')
  output.line(`ready ${url}`)
  output.line(`API key: ${apiKey}`)
  output.line(`try: curl -H 'x-api-key: ${apiKey.replaceAll("'", "'\\''")}' ${url}/api/students`)
  output.line('')
  if (!stopping.signal.aborted)
    await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve))
  await run[Symbol.asyncDispose]()
}

try {
  await main()
} catch (error) {
  if (error instanceof Refusal) {
    for (const problem of error.problems) output.warn(problem)
    if (!stopping.signal.aborted) process.exitCode = 1
  } else if (!stopping.signal.aborted) broken(error)
}
owners?.[Symbol.dispose]()
await output.flush()
process.exit()
