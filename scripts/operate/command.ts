import { NatsError } from 'nats'
import { Failure } from '../../shared/errors.ts'
import { Refusal } from '../local/refusal.ts'

/** How a command ended: it did what it was asked to, it could not, or it found that the sides differ. */
export const exitCodes = { done: 0, failed: 1, drift: 2 } as const

export interface Command {
  readonly usage: string
  readonly run: (args: readonly string[]) => Promise<number>
}

/** Runs a command as this process: `--help` or `-h` tells its usage, and whatever goes wrong is a sentence and exit code 1. */
export async function runCommand({ usage, run }: Command): Promise<void> {
  const args = process.argv.slice(2)
  // `list | head` ends what is told, and nothing else.
  process.stdout.on('error', () => {})
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    console.log(usage)
    return
  }
  let code: number = exitCodes.failed
  try {
    code = await run(args)
  } catch (error) {
    console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : sentenceOf(error))
  }
  // A server that was paused leaves its driver with a connection that never ends.
  process.exit(code)
}

/** Arguments that are not to be understood: the usage follows the sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** As `parseArgs`, whose complaints are about the usage. */
export function parsing<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Writes a line, or for machines an object in one. */
export type Print = (line: string, object: object) => void

export const printing =
  (json: boolean): Print =>
  (line, object) =>
    void process.stdout.write(`${json ? jsonOf(object) : line}\n`)

/** With the controls that JSON itself leaves raw escaped as well: a terminal obeys them. */
const jsonOf = (object: object): string =>
  JSON.stringify(object).replaceAll(/[\x7f-\x9f]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`)

function sentenceOf(error: unknown): string {
  if (error instanceof Refusal) return error.problems.join('\n')
  if (error instanceof NatsError) return natsSentence(error)
  if (error instanceof Failure && error.cause instanceof NatsError) return natsSentence(error.cause)
  if (!(error instanceof Error)) return `It failed: ${error}.`
  // What a driver says of a server that is away is in the cause.
  const cause = error instanceof Failure && error.cause instanceof Error ? error.cause : undefined
  const why = cause && (cause.message || codeOf(cause))
  return `It failed: ${error.message}${why ? ` (${why})` : ''}.`
}

function natsSentence({ code, api_error, message }: NatsError): string {
  if (api_error?.code === 404)
    return `NATS has not what this needs (${api_error.description}): npm run initialize makes it.`
  if (code === '503' && !api_error)
    return 'NATS has no stream for this, or no JetStream at the moment: npm run initialize -- --check tells.'
  return `NATS does not serve (${api_error?.description ?? message}).`
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.name)
