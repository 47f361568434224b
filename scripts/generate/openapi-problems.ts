import type { Code, Violation } from '../../shared/errors.ts'
import { bodyLimit } from '../../shared/http/message.ts'
import { problem, statusOf } from '../../shared/http/problem.ts'
import { headerRefs } from './openapi-headers.ts'

interface ProblemDoc {
  readonly description: string
  readonly detail?: string
  readonly errors?: readonly Violation[]
  /** Components among the headers. */
  readonly headers?: readonly string[]
}

/** What each code tells a client; exhaustive, so that no code goes undocumented. */
const docs: Record<Code, ProblemDoc> = {
  malformed: {
    description: 'The request cannot be read: its query, its headers, or a body that is not JSON in UTF-8.',
    detail: 'the query is not valid',
    errors: [{ pointer: '/limit', message: 'must be a whole number from 1 to 200' }],
  },
  unauthorized: { description: 'The key is missing or wrong.', headers: ['WWW-Authenticate'] },
  not_found: {
    description: 'There is none of this id; a malformed id is one that nothing has.',
    detail: 'there is no such student',
  },
  method_not_allowed: { description: 'The path does not have this method.', headers: ['Allow'] },
  conflict: {
    description:
      'What must be unique is taken, or a request with the same Idempotency-Key is being served: then with Retry-After.',
    detail: 'there is another student of these names',
    errors: [{ pointer: '/name', message: 'is taken together with the other names' }],
    headers: ['Retry-After'],
  },
  precondition_failed: {
    description: 'It is not the one of If-Match any more.',
    detail: 'the student is not the one of If-Match any more',
  },
  payload_too_large: {
    description: `The body has more than ${bodyLimit / 1024} KB.`,
    detail: `the body may have at most ${bodyLimit / 1024} KB`,
  },
  unsupported_media_type: {
    description: 'The body is not of a type that the operation takes.',
    detail: 'the body must be application/json, in UTF-8 and not compressed',
    headers: ['Accept'],
  },
  invalid: {
    description: 'The body is not valid; `errors` has everything that is wrong with it.',
    detail: 'the body is not valid',
    errors: [
      { pointer: '/name', message: 'must have 3 to 20 characters' },
      { pointer: '/nickname', message: 'is not a known field' },
    ],
  },
  too_many_requests: {
    description:
      'More requests than the gateway lets through for one client; try again after Retry-After seconds.',
    headers: ['Retry-After'],
  },
  internal: { description: 'A fault of the service; the log has it under the `trace_id`.' },
  bad_gateway: {
    description: 'A function, or the other service, could not answer.',
    detail: 'the other service could not answer',
  },
  unavailable: {
    description: 'A backing service is down; try again after Retry-After seconds.',
    detail: 'the database is not available',
    headers: ['Retry-After'],
  },
  deadline_exceeded: {
    description: 'A function, or the other service, did not answer in time.',
    detail: 'the other service did not answer in time',
  },
}

const codes = Object.keys(docs).filter((key): key is Code => key in docs)

const byStatus = new Map(codes.map((code) => [statusOf(code), code]))

/** The component that answers with a status. */
export function problemRef(status: number): { readonly $ref: string } {
  const code = byStatus.get(status)
  if (!code) throw new Error(`no problem has the status ${status}`)
  return { $ref: `#/components/responses/${componentName(code)}` }
}

/** `not_found` is `NotFound`. */
const componentName = (code: Code): string =>
  code.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Responses of those statuses alone that some operation answers with. */
export function problemResponses(used: ReadonlySet<number>): Record<string, unknown> {
  return Object.fromEntries(
    codes
      .filter((code) => used.has(statusOf(code)))
      .map((code) => {
        const { description, headers = [], ...options } = docs[code]
        const { body } = problem(code, { ...options, traceId: '0af7651916cd43dd8448eb211c80319c' })
        return [
          componentName(code),
          {
            description,
            headers: headerRefs(['Cache-Control', ...headers]),
            content: {
              'application/problem+json': {
                schema: { $ref: '#/components/schemas/Problem' },
                example: JSON.parse(String(body)),
              },
            },
          },
        ]
      }),
  )
}

/** Problem details, RFC 9457. */
export const problemSchema = {
  title: 'Problem',
  description: 'Problem details (RFC 9457). `code` is stable and closed: switch on it, show the rest.',
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'trace_id'],
  properties: {
    type: { type: 'string', format: 'uri-reference', const: 'about:blank' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'What went wrong this time.' },
    code: { type: 'string', enum: codes },
    errors: {
      type: 'array',
      description: 'Everything that is wrong with what was sent, at once.',
      items: {
        type: 'object',
        required: ['pointer', 'message'],
        properties: {
          pointer: {
            type: 'string',
            format: 'json-pointer',
            description: 'Into the body (RFC 6901), or `/` and the name of a query parameter.',
          },
          message: { type: 'string' },
        },
      },
    },
    trace_id: {
      type: 'string',
      pattern: '^[\\da-f]{32}$',
      description: 'To find the request in logs and traces.',
    },
  },
}
