import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer, type Socket } from 'node:net'
import { create } from '@bufbuild/protobuf'
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { describe, expect, it } from 'vitest'
import { ByStudentResponseSchema, CourseLookupService } from '../generated/registrar/v1/lookups_pb.ts'
import { courseLookup } from './grpc-lookups.ts'

interface Peer extends AsyncDisposable {
  readonly url: string
  readonly calls: readonly HandlerContext[]
  /** The ids of each call. */
  readonly asked: readonly (readonly string[])[]
  readonly sockets: readonly Socket[]
}

/** The other service, over real h2c, that fails its first calls as it is told, or drops its first connections. */
async function peer(failures: readonly ConnectError[], dropped = 0): Promise<Peer> {
  const calls: HandlerContext[] = []
  const asked: string[][] = []
  const rpc = createHttp2Server(
    connectNodeAdapter({
      routes: (router) =>
        router.service(CourseLookupService, {
          byStudent({ studentIds }, context) {
            asked.push(studentIds)
            calls.push(context)
            const failure = failures[calls.length - 1]
            if (failure) throw failure
            return create(ByStudentResponseSchema, {})
          },
        }),
    }),
  )
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    if (sockets.push(socket) <= dropped) socket.destroy()
    else rpc.emit('connection', socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    calls,
    asked,
    sockets,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
const failing = (code: Code, meaning?: string): ConnectError =>
  new ConnectError('no', code, meaning === undefined ? {} : { 'registrar-code': meaning })
const ask = (url: string) => courseLookup(url).membersOf('some-id', { traceparent })

describe('a lookup of the other service', () => {
  it('is tried again when it is unavailable, until it is not', async () => {
    await using other = await peer([failing(Code.Unavailable), failing(Code.Unavailable, 'unavailable')])
    expect(await ask(other.url)).toEqual({ members: [] })
    expect(other.calls).toHaveLength(3)
  })

  it('shares a call with those of the same turn, for all their ids', async () => {
    await using other = await peer([])
    const lookup = courseLookup(other.url)
    await Promise.all(['one', 'two', 'one'].map((id) => lookup.membersOf(id, { traceparent })))
    expect(other.asked).toEqual([['one', 'two']])
    await lookup.membersOf('one', { traceparent })
    expect(other.asked).toHaveLength(2)
  })

  it('carries the trace and a deadline on every try', async () => {
    await using other = await peer([failing(Code.Unavailable)])
    await ask(other.url)
    expect(other.calls.map(({ requestHeader }) => requestHeader.get('traceparent'))).toEqual([
      traceparent,
      traceparent,
    ])
    for (const { requestHeader } of other.calls)
      expect(requestHeader.get('grpc-timeout')).toMatch(/^\d{1,4}m$/)
  })

  it('is given up after some tries, with what the other side said', async () => {
    await using other = await peer(
      Array.from({ length: 100 }, () => failing(Code.Unavailable, 'unavailable')),
    )
    await expect(ask(other.url)).rejects.toMatchObject({ code: 'unavailable' })
    expect(other.calls).toHaveLength(4)
  })

  it('is tried again when nobody listens, and is then said to be late', async () => {
    const began = performance.now()
    await expect(ask('http://127.0.0.1:9')).rejects.toMatchObject({ code: 'deadline_exceeded' })
    // The waits between four tries; what fails at once was not tried again.
    expect(performance.now() - began).toBeGreaterThan(340)
  })

  it('is tried again where a connection breaks before it was answered', async () => {
    await using other = await peer([], 2)
    expect(await ask(other.url)).toEqual({ members: [] })
    expect([other.sockets.length, other.calls.length]).toEqual([3, 1])
  })

  it('goes through a gateway that speaks no HTTP/2 where its URL has a path, and is tried again there too', async () => {
    const protocols: (string | undefined)[] = []
    const rpc = connectNodeAdapter({
      requestPathPrefix: '/function/courses-by-student',
      grpc: false,
      routes: (router) =>
        router.service(CourseLookupService, {
          byStudent: ({ studentIds }) =>
            create(ByStudentResponseSchema, {
              coursesByStudent: studentIds.map((studentId) => ({ studentId, courses: [] })),
            }),
        }),
    })
    // As OpenFaaS' gateway answers while nothing of the function runs.
    const gateway = createHttpServer((request, response) => {
      protocols.push(`${request.httpVersion} ${request.headers['content-type']}`)
      if (protocols.length === 1) response.writeHead(503).end('no instance')
      else rpc(request, response)
    })
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
    const address = gateway.address()
    const port = typeof address === 'object' && address ? address.port : 0
    expect(await ask(`http://127.0.0.1:${port}/function/courses-by-student`)).toEqual({ members: [] })
    expect(protocols).toEqual(['1.1 application/proto', '1.1 application/proto'])
    gateway.closeAllConnections()
    await new Promise((resolve) => gateway.close(resolve))
  })

  const others = Object.values(Code).filter(
    (code): code is Code => typeof code === 'number' && code !== Code.Unavailable,
  )
  it.each(others.map((code) => [Code[code], code] as const))('is not tried again on %s', async (_, code) => {
    await using other = await peer([failing(code)])
    const gone = code === Code.DeadlineExceeded || code === Code.Canceled
    await expect(ask(other.url)).rejects.toMatchObject({ code: gone ? 'deadline_exceeded' : 'bad_gateway' })
    expect(other.calls).toHaveLength(1)
  })
})
