import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type JsonValue, toJson } from '@bufbuild/protobuf'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CourseLookupService, StudentLookupService } from '../generated/registrar/v1/lookups_pb.ts'
import { frame, H2c, unframe } from '../testing/h2c.ts'
import { Api } from '../testing/http-conformance/expect.ts'
import { openHosts } from '../testing/http-conformance/hosts.ts'
import { withLookups } from '../testing/http-conformance/lookups.ts'
import { openPlatform, type Platform } from '../testing/http-conformance/platform.ts'
import { courses, students } from '../testing/http-conformance/services.ts'
import { Reflection } from '../testing/reflection.ts'

describe('a gRPC function in its process', () => {
  const stack = new AsyncDisposableStack()
  let platform: Platform
  let byCourse: string
  let byStudent: string
  /** A student of a course, and the course. */
  let enrolled: { student: JsonValue; courseId: string }
  beforeAll(async () => {
    platform = stack.use(await openPlatform())
    const variables = await withLookups(platform.variables, stack)
    byCourse = String(variables['STUDENTS_BY_COURSE_URL'])
    byStudent = String(variables['COURSES_BY_STUDENT_URL'])
    await using target = await openHosts('native', platform.variables)
    const courseId = (await new Api(target, courses).create()).id
    const { one } = await new Api(target, students).create({ course_ids: [courseId] })
    const { first_name: firstName, last_name: lastName, course_ids: courseIds, ...same } = one
    const { created_at: createdAt, updated_at: updatedAt, version, ...rest } = same
    const student = {
      ...rest,
      firstName,
      lastName,
      courseIds,
      version: String(version),
      createdAt,
      updatedAt,
    }
    enrolled = { student: student as JsonValue, courseId }
  })
  afterAll(() => stack.disposeAsync())

  const someId = (): string => randomBytes(12).toString('hex')
  const answerFor = ({ student, courseId }: typeof enrolled) => ({
    studentsByCourse: [{ courseId, students: [student] }],
  })
  /** `string` as the field with this number. */
  const text = (field: number, value: string): Buffer =>
    Buffer.concat([Buffer.from([(field << 3) | 2, value.length]), Buffer.from(value)])

  describe('answers health checks over h2c', () => {
    const serving = Buffer.from([0x08, 1])
    const check = '/grpc.health.v1.Health/Check'

    it('for the server and each of its services, and knows no other', async () => {
      await using wire = new H2c(byCourse)
      const names = ['', 'registrar.v1.StudentLookupService', 'grpc.health.v1.Health']
      for (const name of names) {
        const answer = await wire.call(check, name === '' ? Buffer.alloc(0) : text(1, name))
        expect([answer.status, answer.messages]).toEqual(['0', [serving]])
        expect(answer.headers['content-type']).toMatch(/^application\/grpc/)
      }
      // The other side's is not here: whoever was led to the wrong function hears of it.
      for (const name of ['registrar.v1.Nothing', 'registrar.v1.CourseLookupService'])
        expect((await wire.call(check, text(1, name))).status).toBe(String(Code.NotFound))
    })

    it('whose watch says it at once and stays open', async () => {
      await using wire = new H2c(byCourse)
      const stream = wire.open('/grpc.health.v1.Health/Watch')
      stream.end(frame(Buffer.alloc(0)))
      const [first]: Buffer[] = await once(stream, 'data')
      expect(unframe(first ?? Buffer.alloc(0))).toEqual([serving])
      // Another call goes to its end meanwhile.
      await wire.call(check, Buffer.alloc(0))
      expect([stream.readableEnded, stream.closed]).toEqual([false, false])
      stream.close()
      await once(stream, 'close')
    })

    it('with NOT_SERVING, and the end of the watch, when the process is told to stop', async () => {
      await using lookups = new AsyncDisposableStack()
      const url = (await withLookups(platform.variables, lookups))['STUDENTS_BY_COURSE_URL']
      await using wire = new H2c(String(url))
      const stream = wire.open('/grpc.health.v1.Health/Watch')
      stream.end(frame(Buffer.alloc(0)))
      const said: Buffer[] = []
      stream.on('data', (chunk: Buffer) => said.push(chunk))
      await once(stream, 'data')
      const ended = once(stream, 'end')
      await lookups.disposeAsync()
      await ended
      expect(unframe(Buffer.concat(said))).toEqual([serving, Buffer.from([0x08, 2])])
    })
  })

  describe('describes itself by reflection', () => {
    const name = 'registrar.v1.StudentLookupService'

    it('so that a client that has no schema of it can call it', async () => {
      const reflection = new Reflection(byCourse)
      const all = [name, 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection']
      expect(await reflection.services()).toEqual(all)
      const method = await reflection.unaryOf(name)
      const transport = createGrpcTransport({ baseUrl: byCourse })
      const request = { courseIds: [enrolled.courseId] }
      const { message } = await transport.unary(method, undefined, undefined, undefined, request)
      expect(toJson(method.output, message)).toEqual(answerFor(enrolled))
    })

    it('and says of what it does not know that it does not', async () => {
      const answer = await new Reflection(byCourse).ask({ case: 'fileContainingSymbol', value: `${name}s` })
      expect(answer).toMatchObject({ case: 'errorResponse', value: { errorCode: Code.NotFound } })
    })
  })

  it('answers no calls of the other side', async () => {
    const client = createClient(CourseLookupService, createGrpcTransport({ baseUrl: byCourse }))
    const asked = client.byStudent({ studentIds: [someId()] })
    await expect(asked).rejects.toMatchObject({ code: Code.Unimplemented })
  })

  it('knows nobody under what is no id, and fails nobody who asks at the same time', async () => {
    const client = createClient(StudentLookupService, createGrpcTransport({ baseUrl: byCourse }))
    const strange = ['\0', `${someId()}\0`, '', 'x'.repeat(1000)]
    const ids = [...strange, ...Array.from({ length: 10 }, someId)]
    const answers = await Promise.all(ids.map((id) => client.byCourse({ courseIds: [id] })))
    expect(answers.map(({ studentsByCourse }) => studentsByCourse)).toMatchObject(
      ids.map((courseId) => [{ courseId, students: [] }]),
    )
  })

  describe('serves Connect over HTTP/1.1 just as gRPC', () => {
    const path = '/registrar.v1.StudentLookupService/ByCourse'

    it('in JSON, by POST and by GET, and in protobuf', async () => {
      const request = { courseIds: [enrolled.courseId] }
      const posted = await fetch(byCourse + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      })
      expect([posted.status, await posted.json()]).toEqual([200, answerFor(enrolled)])
      const query = new URLSearchParams({ connect: 'v1', encoding: 'json', message: JSON.stringify(request) })
      expect(await (await fetch(`${byCourse}${path}?${query}`)).json()).toEqual(answerFor(enrolled))
      for (const transport of [
        createConnectTransport({ baseUrl: byCourse, httpVersion: '1.1' }),
        createGrpcTransport({ baseUrl: byCourse }),
      ]) {
        const answer = await createClient(StudentLookupService, transport).byCourse(request)
        expect(toJson(StudentLookupService.method.byCourse.output, answer)).toEqual(answerFor(enrolled))
      }
    })

    it('and keeps no connection that brought more than it reads: a next request on it would have no answer', async () => {
      const large = 'x'.repeat(200_000)
      const socket = connect(Number(new URL(byCourse).port), '127.0.0.1')
      const gone = once(socket, 'close')
      socket.on('error', () => {})
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
      )
      socket.write(`${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`)
      const [refused] = await once(socket, 'data')
      expect(String(refused)).toMatch(/^HTTP\/1.1 429 [\s\S]*\r\nConnection: close\r\n/i)
      await gone
    }, 20_000)

    it('with the same failures', async () => {
      const courseIds = Array.from({ length: 101 }, someId)
      const refused = await fetch(byCourse + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ courseIds }),
      })
      expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'invalid_argument' }])
      const client = createClient(StudentLookupService, createGrpcTransport({ baseUrl: byCourse }))
      await expect(client.byCourse({ courseIds })).rejects.toMatchObject({ code: Code.InvalidArgument })
    })
  })

  describe('while its database hangs', () => {
    beforeAll(() => platform.postgres.hold())
    afterAll(() => platform.postgres.release())

    it('a deadline that is shorter than the work ends the call with deadline_exceeded', async () => {
      const client = createClient(CourseLookupService, createGrpcTransport({ baseUrl: byStudent }))
      const began = performance.now()
      const error = ConnectError.from(
        await client.byStudent({ studentIds: [someId()] }, { timeoutMs: 300 }).catch((reason) => reason),
      )
      expect(error.code).toBe(Code.DeadlineExceeded)
      // The work itself would have gone on for two seconds.
      expect(performance.now() - began).toBeLessThan(2000)
    })

    it('the server itself keeps to the deadline, for callers that do not', async () => {
      await using wire = new H2c(byStudent)
      const began = performance.now()
      const answer = await wire.call('/registrar.v1.CourseLookupService/ByStudent', text(1, someId()), {
        'grpc-timeout': '300m',
      })
      expect(answer.status).toBe(String(Code.DeadlineExceeded))
      expect(performance.now() - began).toBeLessThan(2000)
    })

    it('without a deadline it is unavailable, and health says nothing of it', async () => {
      await using wire = new H2c(byStudent)
      const answer = await wire.call('/registrar.v1.CourseLookupService/ByStudent', text(1, someId()))
      expect(answer.status).toBe(String(Code.Unavailable))
      expect((await wire.call('/grpc.health.v1.Health/Check', Buffer.alloc(0))).status).toBe('0')
    })
  })
})
