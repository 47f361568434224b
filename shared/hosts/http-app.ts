import * as v from 'valibot'
import { Failure, toFailure } from '../errors.ts'
import type { Answer, Call, Handler } from '../http/call.ts'
import { matches } from '../http/etag.ts'
import { parseJson } from '../http/json.ts'
import { type HttpRequest, type HttpResponse, header } from '../http/message.ts'
import { problemOf } from '../http/problem.ts'
import { type Match, router } from '../http/routes.ts'
import { checkJsonType, validBody, validQuery } from '../http/validate.ts'
import { type CacheReader, caching } from '../middleware/caching.ts'
import { type Context, compose, type Middleware } from '../middleware/middleware.ts'
import { logging, tracing } from '../middleware/observe.ts'
import type { FunctionDeclaration, HttpTrigger, Operation } from '../spec/define-function.ts'
import { untraced } from '../tracing.ts'

/** An HTTP function without a host: a neutral request in, a neutral response out, never an exception. */
export type HttpApp = (request: HttpRequest) => Promise<HttpResponse>

export interface HttpAppOptions {
  /** `students/get` */
  readonly name: string
  readonly declaration: FunctionDeclaration<HttpTrigger>
  readonly handlers: Readonly<Record<string, Handler>>
  /** Where the declaration's cached operations are looked up. */
  readonly cache?: CacheReader | undefined
}

/** In this order, the first being the outermost. */
export function httpMiddleware(options: Pick<HttpAppOptions, 'cache'>): Middleware<Call, HttpResponse>[] {
  return [tracing(), logging(), problems, parsing, conditional, caching(options.cache)]
}

export function httpApp(options: HttpAppOptions): HttpApp {
  const { declaration, handlers } = options
  const find = router(declaration.trigger.operations)
  const invoke = compose(httpMiddleware(options), async (call, context) => {
    const handler = handlers[call.name]
    if (!handler) throw new Error(`no handler for ${call.name}`)
    const { request } = call
    const input = {
      params: call.params,
      query: call.query,
      body: call.body,
      ifMatch: header(request, 'if-match'),
      idempotencyKey: call.idempotencyKey,
      consumer: header(request, 'x-consumer-username') ?? 'anonymous',
    }
    return respond(call.operation, await handler(input, { traceparent: context.trace.traceparent }))
  })
  return (request) => {
    const match = find(request.method, request.path)
    const context: Context = {
      function: options.name,
      trigger: 'http',
      method: methods.has(request.method) ? request.method : 'OTHER',
      parent: header(request, 'traceparent'),
      trace: untraced,
      outcome: 'ok',
      fields: {},
    }
    if (!match?.route) return refuse(request, match, context)
    const { name, operation } = match.route
    return invoke(
      { request, operation, name, params: match.params, query: undefined, body: undefined },
      context,
    )
  }
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

const refusal = compose<{ request: HttpRequest; match: Match | undefined }, HttpResponse>(
  [tracing(), logging()],
  async ({ request, match }, context) => {
    if (match && request.method === 'OPTIONS') {
      context.fields['status'] = 204
      return { status: 204, headers: { allow: match.allow } }
    }
    const failure = match
      ? new Failure('method_not_allowed', {
          detail: 'this path does not have this method',
          headers: { allow: match.allow },
        })
      : new Failure('not_found', { detail: 'there is nothing at this path' })
    return failed(failure, context)
  },
)

const refuse = (request: HttpRequest, match: Match | undefined, context: Context): Promise<HttpResponse> =>
  refusal({ request, match }, context)

function failed(failure: Failure, context: Context): HttpResponse {
  context.failure = failure
  context.outcome = failure.code
  const response = problemOf(failure, context.trace.traceId)
  context.fields['status'] = response.status
  return response
}

/** The one place where failures become HTTP. */
export const problems: Middleware<Call, HttpResponse> = (next) => async (call, context) => {
  try {
    const response = await next(call, context)
    context.fields['status'] = response.status
    return response
  } catch (error) {
    return failed(toFailure(error), context)
  }
}

/** Parameters, query and body by the operation's schemas. */
export const parsing: Middleware<Call, HttpResponse> = (next) => async (call, context) => {
  const { operation, request } = call
  const { params, query } = validHead(operation, call.params, request)
  call.params = params
  call.query = query
  if (operation.idempotent) call.idempotencyKey = idempotencyKey(request)
  if (operation.body) call.body = validBody(operation.body, parseJson(await request.body()))
  // Awaited: to return a promise costs two more turns of the queue of promises than its value.
  return await next(call, context)
}

/** Parameters and query. @throws Failure for what is wrong with a request whatever its body may be. */
export function validHead(
  operation: Operation,
  params: Call['params'],
  request: Pick<HttpRequest, 'query' | 'headers'>,
): Pick<Call, 'params' | 'query'> {
  const head = {
    params: validParams(operation, params),
    query: validQuery(operation.query, request.query),
  }
  if (operation.body) checkJsonType(request, operation.accepts ?? ['application/json'])
  return head
}

function validParams({ params }: Operation, found: Readonly<Record<string, string>>): Record<string, string> {
  const valid: Record<string, string> = {}
  for (const [name, value] of Object.entries(found)) {
    const schema = params?.[name]
    if (!schema) {
      valid[name] = value
      continue
    }
    const result = v.safeParse(schema, value)
    if (!result.success) throw new Failure('not_found', { detail: `there is nothing at this path` })
    valid[name] = result.output
  }
  return valid
}

/** If-None-Match on what can be read. */
export const conditional: Middleware<Call, HttpResponse> = (next) => async (call, context) => {
  const response = await next(call, context)
  const wanted = header(call.request, 'if-none-match')
  const { etag } = response.headers
  if (wanted === undefined || etag === undefined || call.operation.method !== 'GET') return response
  if (!matches(wanted, etag, true)) return response
  const { 'content-type': _, ...headers } = response.headers
  return { status: 304, headers }
}

function respond(operation: Operation, answer: Answer): HttpResponse {
  const headers: Record<string, string> = { ...answer.headers }
  if (answer.etag !== undefined) headers['etag'] = answer.etag
  if (answer.location !== undefined) headers['location'] = answer.location
  const { body } = answer
  const status = answer.status ?? operation.success.status
  if (body === undefined) return { status, headers }
  headers['content-type'] = operation.success.type ?? 'application/json'
  if (typeof body === 'string' || body instanceof Uint8Array) return { status, headers, body }
  return { status, headers, body: JSON.stringify(body) }
}

/** The key, bare or as the quoted string of the IETF draft. */
function idempotencyKey(request: HttpRequest): string | undefined {
  const [sent, ...others] = request.values('idempotency-key')
  if (sent === undefined) return undefined
  if (others.length > 0) throw new Failure('malformed', { detail: 'Idempotency-Key must be given once' })
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(sent.trim())?.[1]
  const key = quoted?.replaceAll(/\\(.)/g, '$1') ?? sent.trim()
  if (
    !/^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(key) ||
    (quoted === undefined && key.startsWith('"'))
  ) {
    throw new Failure('malformed', {
      detail: 'Idempotency-Key must have 1 to 255 printable ASCII characters',
    })
  }
  return key
}
