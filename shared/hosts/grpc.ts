import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { batching } from '../batching.ts'
import { Failure, type Code as FailureCode, toFailure } from '../errors.ts'
import { CourseLookupService, StudentLookupService } from '../generated/registrar/v1/lookups_pb.ts'
import { encodeCourses, encodeStudents, type MembersById, mostIds } from '../messages/lookup-codec.ts'
import { type CacheReader, cacheStatus } from '../middleware/caching.ts'
import { type Context, compose, type Middleware } from '../middleware/middleware.ts'
import { logging, tracing } from '../middleware/observe.ts'
import type { FunctionDeclaration, GrpcTrigger } from '../spec/define-function.ts'
import { type CacheResult, observeCache } from '../tallies.ts'
import { untraced } from '../tracing.ts'
import { healthAndReflection } from './grpc-standard.ts'
import { type Assembly, hostProcess } from './host.ts'
import { patience } from './node-http.ts'
import { operational } from './operational.ts'

export interface GrpcAssembly extends Assembly {
  readonly declaration: FunctionDeclaration<GrpcTrigger>
}

/** What handler.ts of a lookup is: the members of each id, as clients see them. */
export type LookupHandler = (ids: readonly string[]) => Promise<MembersById<object>>

/** Serves a lookup: gRPC over h2c and Connect over HTTP/1.1, on one port. */
export function serveGrpc(assembly: GrpcAssembly): Promise<void> {
  return hostProcess(assembly, (wired) => {
    const loaded = wired.then(({ dependencies, handlers }) => ({
      // Assembled from one folder, as its declaration says.
      load: batching(handlers as LookupHandler, mostIds),
      cache: dependencies['cache'] as CacheReader,
    }))
    loaded.catch(() => {})
    const answer = compose<Asked, Answered>(
      [tracing(), logging(), statuses],
      async ({ ids, rpc }, context) => {
        if (ids.length > mostIds)
          throw new Failure('invalid', { detail: `at most ${mostIds} ids in one call` })
        const answering = loaded.then(({ load, cache }) => cached(cache, ids, load, context))
        return Promise.race([answering, aborted(rpc.signal)])
      },
    )
    const call = (ids: readonly string[], rpc: HandlerContext): Promise<Answered> =>
      answer({ ids, rpc }, contextOf(assembly, rpc))
    return { server: grpcServer((router) => routes(router, assembly.declaration.trigger.service, call)) }
  })
}

/** Rejects at the caller's deadline, or when it has gone away. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const late = (): void => reject(new Failure('deadline_exceeded', { detail: 'the deadline has passed' }))
    if (signal.aborted) return late()
    signal.addEventListener('abort', late, { once: true })
  })
}

interface Asked {
  readonly ids: readonly string[]
  readonly rpc: HandlerContext
}

type Answered = MembersById<object>

/** The function's own service: whoever reaches the wrong function is told that it has not the other one. */
function routes(
  router: ConnectRouter,
  service: string,
  call: (ids: readonly string[], rpc: HandlerContext) => Promise<Answered>,
): void {
  if (service === StudentLookupService.typeName)
    router.service(StudentLookupService, {
      byCourse: async ({ courseIds }, rpc) => encodeStudents((await call(courseIds, rpc)) as never),
    })
  if (service === CourseLookupService.typeName)
    router.service(CourseLookupService, {
      byStudent: async ({ studentIds }, rpc) => encodeCourses((await call(studentIds, rpc)) as never),
    })
  healthAndReflection(router, service)
}

function contextOf({ name, declaration }: GrpcAssembly, { requestHeader }: HandlerContext): Context {
  return {
    function: name,
    trigger: 'grpc',
    method: declaration.trigger.method,
    parent: requestHeader.get('traceparent') ?? undefined,
    trace: untraced,
    outcome: 'ok',
    fields: {},
  }
}

/** What no id looks like: nobody has members under it, and no database is asked, which may refuse it and those asked with it. */
const isId = (id: string): boolean => /^[\w-]{1,64}$/.test(id)

/** Each id's members come through the cache; those that it does not have are loaded together. */
async function cached(
  cache: CacheReader,
  ids: readonly string[],
  load: (id: string, context: undefined) => Promise<Answered>,
  context: Context,
): Promise<Answered> {
  const results = await Promise.all(
    ids.map(async (id) => {
      if (!isId(id)) return [id, [], 'hit'] as const
      const { value, result } = await cache.through(`by:${id}`, '', async () =>
        JSON.stringify((await load(id, undefined)).get(id) ?? []),
      )
      observeCache(context.function, result)
      return [id, JSON.parse(value), result] as const
    }),
  )
  context.fields['cache'] = worst(results.map(([, , result]) => result))
  return new Map(results.map(([id, members]) => [id, members]))
}

function worst(results: readonly CacheResult[]): CacheResult {
  return results.includes('bypass') ? 'bypass' : results.includes('miss') ? 'miss' : 'hit'
}

const codes: Record<FailureCode, Code> = {
  malformed: Code.InvalidArgument,
  unauthorized: Code.Unauthenticated,
  not_found: Code.NotFound,
  method_not_allowed: Code.Unimplemented,
  conflict: Code.AlreadyExists,
  precondition_failed: Code.FailedPrecondition,
  payload_too_large: Code.ResourceExhausted,
  unsupported_media_type: Code.InvalidArgument,
  invalid: Code.InvalidArgument,
  too_many_requests: Code.ResourceExhausted,
  internal: Code.Internal,
  bad_gateway: Code.Unavailable,
  unavailable: Code.Unavailable,
  deadline_exceeded: Code.DeadlineExceeded,
}

/** The one place where failures become gRPC statuses; the closed code travels beside them. */
const statuses: Middleware<Asked, Answered> = (next) => async (asked, context) => {
  try {
    const answered = await next(asked, context)
    asked.rpc.responseHeader.set('cache-status', cacheStatus(context.fields['cache'] as CacheResult))
    return answered
  } catch (error) {
    const failure = toFailure(error)
    context.failure = failure
    context.outcome = failure.code
    const detail = failure.code === 'internal' ? 'internal' : failure.detail
    throw new ConnectError(detail ?? failure.code, codes[failure.code], { 'registrar-code': failure.code })
  }
}

/** HTTP/1.1 and HTTP/2 without TLS on one port, told apart by HTTP/2's preface. */
function grpcServer(register: (router: ConnectRouter) => void): Server {
  const rpc = connectNodeAdapter({
    routes: register,
    readMaxBytes: 64 * 1024,
    // Between neighbours compression costs more than it saves.
    acceptCompression: [],
  })
  const listener: RequestListener = async (request, response) => {
    const { method = 'GET', url = '/', headers } = request
    const own = await operational({ method, path: url.split('?')[0] ?? '/', headers })
    if (!own) {
      if (request.httpVersionMajor === 1) closeUnread(request, response)
      return rpc(request, response)
    }
    response.writeHead(own.status, own.headers)
    response.end(method === 'HEAD' ? undefined : own.body)
  }
  const http1 = createHttpServer({ keepAliveTimeout: patience.keepAliveTimeout }, listener)
  const http2 = createHttp2Server({}, listener as never)
  const open = new Set<Socket>()
  // Without Nagle: small frames would wait for acknowledgements.
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    // Of one that says nothing nobody would hear again.
    socket.setTimeout(patience.headersTimeout, () => socket.destroy())
    let head = ''
    const listen = (chunk: Buffer): void => {
      head += chunk.toString('latin1')
      // POST, PUT and PATCH begin with a P as well.
      if (preface.startsWith(head) && head.length < 3) return
      socket.off('data', listen)
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      socket.pause()
      socket.unshift(Buffer.from(head, 'latin1'))
      const isHttp2 = preface.startsWith(head.slice(0, preface.length))
      ;(isHttp2 ? http2 : http1).emit('connection', socket)
      process.nextTick(() => socket.resume())
    }
    socket.on('data', listen)
  })
  const close = server.close.bind(server)
  server.close = (callback) => {
    // Callers keep their connections: those would keep the server open for ever.
    setTimeout(() => {
      for (const socket of open) socket.end()
    }, 200).unref()
    return close(callback)
  }
  return server
}

/** What connect-node refuses before it came whole it never reads to its end: a next request behind it would wait for ever. */
function closeUnread(request: IncomingMessage, response: ServerResponse): void {
  const writeHead = response.writeHead.bind(response)
  const closing = (...args: Parameters<typeof writeHead>): ServerResponse => {
    if (!request.complete) response.shouldKeepAlive = false
    return writeHead(...args)
  }
  // Of its overloads one has to do.
  response.writeHead = closing as typeof response.writeHead
}

const preface = 'PRI * HTTP/2.0'
