/** Every way in which an operation can fail; closed, so that each host's table over it is exhaustive. */
export type Code =
  | 'malformed'
  | 'unauthorized'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'precondition_failed'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'invalid'
  | 'too_many_requests'
  | 'internal'
  | 'bad_gateway'
  | 'unavailable'
  | 'deadline_exceeded'

/** One thing that is wrong with what the caller sent. */
export interface Violation {
  /** JSON pointer (RFC 6901) into the body, or `/<parameter>` for a query. */
  readonly pointer: string
  readonly message: string
}

export interface FailureOptions {
  /** What the caller may read; never a driver's text. */
  readonly detail?: string
  readonly errors?: readonly Violation[]
  readonly headers?: Readonly<Record<string, string>>
  /** What really happened, for the log alone. */
  readonly cause?: unknown
}

/** The one error that the layers throw on purpose; anything else is `internal`, and its text stays in the log. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: Code
  readonly detail: string | undefined
  readonly errors: readonly Violation[] | undefined
  readonly headers: Readonly<Record<string, string>> | undefined

  constructor(code: Code, options: FailureOptions = {}) {
    super(options.detail ?? code, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.detail = options.detail
    this.errors = options.errors
    this.headers = options.headers
  }
}

/** The failure that an error stands for. */
export function toFailure(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure('internal', { cause: error })
}

export const notFound = (detail: string): Failure => new Failure('not_found', { detail })

/** A backing service did not answer, or not in time. */
export function unavailable(what: string, cause: unknown): Failure {
  return new Failure('unavailable', {
    detail: `${what} is not available`,
    cause,
    headers: { 'retry-after': '1' },
  })
}

export function invalid(errors: readonly Violation[]): Failure {
  return new Failure('invalid', { detail: 'the body is not valid', errors })
}

/** An error and its causes in one line each, for the log. */
export function causes(error: unknown): string[] {
  const lines: string[] = []
  for (let at = error; at !== undefined && at !== null && lines.length < 8; ) {
    if (!(at instanceof Error)) {
      lines.push(String(at))
      break
    }
    lines.push(`${at.name}: ${at.message}`)
    if (at instanceof AggregateError) lines.push(...at.errors.flatMap((one) => causes(one)))
    at = at.cause
  }
  return lines
}
