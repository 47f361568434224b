import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect'
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node'
import type { Course } from '../../functions/courses/domain/course.ts'
import type { Student } from '../../functions/students/domain/student.ts'
import { batching } from '../batching.ts'
import { Failure, unavailable } from '../errors.ts'
import { CourseLookupService, StudentLookupService } from '../generated/registrar/v1/lookups_pb.ts'
import { decodeCourses, decodeStudents, type MembersById, mostIds } from '../messages/lookup-codec.ts'
import type { Looked, Lookup } from '../resource/ports.ts'

/** Longest that a lookup may take, its retries and a cold start of the other side included, in milliseconds. */
const patience = 5000
const retries = { most: 3, firstWait: 50 }

/** The courses of a student, over gRPC. */
export function courseLookup(url: string): Lookup<Course> {
  const client = createClient(CourseLookupService, transport(url))
  return lookup(async (studentIds, options) => decodeCourses(await client.byStudent({ studentIds }, options)))
}

/** The students of a course, over gRPC. */
export function studentLookup(url: string): Lookup<Student> {
  const client = createClient(StudentLookupService, transport(url))
  return lookup(async (courseIds, options) => decodeStudents(await client.byCourse({ courseIds }, options)))
}

interface CallOptions {
  readonly timeoutMs: number
  readonly headers: Record<string, string>
  readonly onHeader: (headers: Headers) => void
}

/** Requests of one turn of the event loop share a call, which belongs to the trace of the first: a call costs more than its ids. */
function lookup<M>(call: (ids: string[], options: CallOptions) => Promise<MembersById<M>>): Lookup<M> {
  const ask = batching(async (ids, traceparent: string) => {
    let cacheStatus: string | null = null
    const onHeader = (headers: Headers): void => {
      cacheStatus = headers.get('cache-status')
    }
    const found = await call([...ids], { timeoutMs: patience, headers: { traceparent }, onHeader })
    return { found, ...(cacheStatus === null ? {} : { cacheStatus }) }
  }, mostIds)
  return {
    async membersOf(id, { traceparent }): Promise<Looked<M>> {
      try {
        const { found, ...rest } = await ask(id, traceparent)
        return { members: found.get(id) ?? [], ...rest }
      } catch (error) {
        throw translate(error)
      }
    },
  }
}

/** The other service said so itself, or nobody answered in time. */
function translate(error: unknown): Failure {
  const rpc = ConnectError.from(error)
  if (rpc.metadata.get('registrar-code') === 'unavailable') return unavailable('the other service', rpc)
  if (rpc.code === Code.DeadlineExceeded || rpc.code === Code.Unavailable || rpc.code === Code.Canceled) {
    return new Failure('deadline_exceeded', {
      detail: 'the other service did not answer in time',
      cause: rpc,
    })
  }
  return new Failure('bad_gateway', { detail: 'the other service could not answer', cause: rpc })
}

/** A URL with a path leads through a gateway, as OpenFaaS' is, which speaks no HTTP/2: there it is Connect, not gRPC. */
function transport(baseUrl: string) {
  const common = { baseUrl, interceptors: [retryUnavailable], acceptCompression: [] }
  if (new URL(baseUrl).pathname !== '/')
    return createConnectTransport({ ...common, httpVersion: '1.1', useBinaryFormat: true })
  // No pings on an idle connection: they would keep the other side from scaling to zero.
  return createGrpcTransport({ ...common, pingIntervalMs: 10_000 })
}

/** Tries again what was not answered, or with the word to try again; within the call's deadline. */
const retryUnavailable: Interceptor = (next) => async (request) => {
  for (let attempt = 0; ; attempt++) {
    try {
      return await next(request)
    } catch (error) {
      const rpc = ConnectError.from(error)
      const again = rpc.code === Code.Unavailable || broke(rpc)
      if (!again || attempt >= retries.most || request.signal.aborted) throw error
      await new Promise((resolve) => setTimeout(resolve, retries.firstWait * 2 ** attempt))
    }
  }
}

/** Whether the connection broke: what the other side itself said has metadata. */
function broke({ code, metadata }: ConnectError): boolean {
  return (code === Code.Canceled || code === Code.Aborted) && metadata.keys().next().done === true
}
