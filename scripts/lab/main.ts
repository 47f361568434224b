import { Output } from '../local/output.ts'
import { Refusal } from '../local/refusal.ts'
import { Checks } from './checks.ts'

/**
 * Runs a command line's work with its checks to the sum of them. SIGINT and SIGTERM abort it, and what it has started is ended
 * all the same; what stops it before its end is a failure more.
 */
export async function main(
  usage: string,
  work: (checks: Checks, output: Output, signal: AbortSignal) => Promise<void>,
  of?: string,
): Promise<void> {
  const args = process.argv.slice(2)
  if (args.length > 0) {
    const help = args.length === 1 && args[0] === '--help'
    if (help) console.log(usage)
    else console.error(`${args.join(' ')} means nothing here.\n\n${usage}`)
    process.exitCode = help ? 0 : 1
    return
  }
  const output = new Output()
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (!stopping.signal.aborted) output.line(`${signal}: ending what was started`)
      stopping.abort(new Refusal(`stopped by ${signal}`))
    })
  const checks = new Checks(output, stopping.signal)
  try {
    await work(checks, output, stopping.signal)
  } catch (error) {
    checks.failed++
    output.line(error instanceof Refusal ? error.message : `${error instanceof Error ? error.stack : error}`)
  }
  process.exitCode = checks.sum(of)
  if (!stopping.signal.aborted) return
  // Whatever still waits for something of the lab, which is not there any more.
  await output.flush()
  process.exit()
}
