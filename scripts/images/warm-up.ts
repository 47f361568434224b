import * as v from 'valibot'
import type { Backing } from '../../shared/spec/backing.ts'
import type { FunctionDeclaration, GrpcTrigger, HttpTrigger } from '../../shared/spec/define-function.ts'
import { exampleOf } from '../generate/openapi-examples.ts'

/** One request, which needs no server to be understood. */
export interface WarmRequest {
  readonly http: 1 | 2
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** In base64. */
  readonly body?: string
}

/** For finish.cjs: how a function is started and what it is asked while its image is built. */
export interface WarmUp {
  /** Whether it answers requests or pulls, and is not of those that run to their end. */
  readonly serves: boolean
  readonly env: Readonly<Record<Backing, string>>
  readonly requests: readonly WarmRequest[]
}

// Discard's port, where nobody listens: connections are refused at once. Courses lie in MongoDB, as deployed.
const nowhere: Readonly<Record<Backing, string>> = {
  STUDENTS_URL: 'postgres://warm@127.0.0.1:9/warm',
  COURSES_URL: 'mongodb://127.0.0.1:9/warm',
  CACHE_URL: 'redis://127.0.0.1:9',
  EVENTS_URL: 'nats://127.0.0.1:9',
  STUDENTS_BY_COURSE_URL: 'http://127.0.0.1:9',
  COURSES_BY_STUDENT_URL: 'http://127.0.0.1:9',
}

export function warmUp({ trigger }: FunctionDeclaration): WarmUp {
  switch (trigger.kind) {
    case 'http':
      return { serves: true, env: nowhere, requests: ofHttp(trigger) }
    case 'grpc':
      return { serves: true, env: nowhere, requests: ofGrpc(trigger) }
    case 'stream':
      return { serves: true, env: nowhere, requests: [] }
    case 'job':
    case 'cron':
      return { serves: false, env: nowhere, requests: [] }
    default:
      return trigger satisfies never
  }
}

/** One of each kind of id. */
const ids = ['01a20c7b-b3ab-723b-9f2c-934f944833dd', '6b053e63520d52559ccd15dd']

/** Each operation once, and with what its schemas show as an example. */
function ofHttp({ operations }: HttpTrigger): WarmRequest[] {
  return Object.values(operations).map(({ method, path, params, body, accepts }) => {
    const filled = Object.entries(params ?? {}).reduce<string>((so, [name, schema]) => {
      const id = ids.find((one) => v.is(schema, one)) ?? ids[0] ?? ''
      return so.replace(`{${name}}`, id)
    }, path)
    const content = body ? JSON.stringify(exampleOf(body)) : undefined
    return {
      http: 1,
      method,
      path: filled,
      headers: content === undefined ? {} : { 'content-type': accepts?.[0] ?? 'application/json' },
      ...(content === undefined ? {} : { body: Buffer.from(content).toString('base64') }),
    }
  })
}

/** Over Connect, and over gRPC with the one field that both lookups' requests have: the ids, as field 1. */
function ofGrpc({ service, method }: GrpcTrigger): WarmRequest[] {
  const path = `/${service}/${method}`
  const message = Buffer.concat(ids.map((id) => Buffer.from([0x0a, id.length, ...Buffer.from(id)])))
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(message.length, 1)
  return [
    {
      http: 1,
      method: 'POST',
      path,
      headers: { 'content-type': 'application/proto', 'connect-protocol-version': '1' },
      body: message.toString('base64'),
    },
    {
      http: 2,
      method: 'POST',
      path,
      headers: { 'content-type': 'application/grpc', te: 'trailers' },
      body: Buffer.concat([frame, message]).toString('base64'),
    },
  ]
}
