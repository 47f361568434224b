import type { Code, Failure, Violation } from '../errors.ts'
import type { HttpResponse } from './message.ts'

const statuses: Record<Code, readonly [status: number, title: string]> = {
  malformed: [400, 'Malformed request'],
  unauthorized: [401, 'Missing or wrong key'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  conflict: [409, 'Conflict'],
  precondition_failed: [412, 'Precondition failed'],
  payload_too_large: [413, 'Payload too large'],
  unsupported_media_type: [415, 'Unsupported media type'],
  invalid: [422, 'Invalid content'],
  too_many_requests: [429, 'Too many requests'],
  internal: [500, 'Internal error'],
  bad_gateway: [502, 'Bad gateway'],
  unavailable: [503, 'Service unavailable'],
  deadline_exceeded: [504, 'Deadline exceeded'],
}

export const statusOf = (code: Code): number => statuses[code][0]

export interface ProblemOptions {
  readonly detail?: string | undefined
  readonly errors?: readonly Violation[] | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly traceId: string
}

/** Problem details, RFC 9457, with the closed `code`, all `errors` and the `trace_id`. */
export function problem(code: Code, { detail, errors, headers, traceId }: ProblemOptions): HttpResponse {
  const [status, title] = statuses[code]
  const body = {
    type: 'about:blank',
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
    code,
    ...(errors === undefined ? {} : { errors }),
    trace_id: traceId,
  }
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  }
}

/** What a client may read of a failure. */
export function problemOf(failure: Failure, traceId: string): HttpResponse {
  const { code, detail, errors, headers } = failure
  return problem(code, code === 'internal' ? { traceId } : { detail, errors, headers, traceId })
}
