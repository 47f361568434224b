import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import { aCourse, aStudent, type Entity, read } from './testing/client.ts'
import { Started, until } from './testing/fixture.ts'
import { WholeTree } from './testing/whole-tree.ts'

interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
}

describe('a trace', () => {
  test('goes from a POST through outbox and stream to the write on the other side, and from a GET through gRPC to the lookup', async () => {
    const spans: Span[] = []
    const collector = createServer((request, response) => {
      let text = ''
      request.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      request.on('end', () => {
        const { resourceSpans }: { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] } = JSON.parse(text)
        spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
        response.setHeader('content-type', 'application/json').end('{}')
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    const address = collector.address()
    const port = typeof address === 'object' ? address?.port : 0
    using own = new WholeTree()
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const [callerId, readerId] = ['00f067aa0ba902b7', 'b7ad6b7169203331']
    {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` }
      await using started = await new Started(own, { env }).ready()
      const course = await aCourse(started)
      const student = await aStudent(started, [course.id], { traceparent: `00-${traceId}-${callerId}-01` })
      await until('the course has the student', async () => {
        const { student_ids } = await read<Entity>(started, `/api/courses/${course.id}`)
        return student_ids?.includes(student.id) === true
      })
      const related = await started.fetch(`/api/students/${student.id}/courses`, {
        headers: { traceparent: `00-${traceId}-${readerId}-01` },
      })
      expect(await related.json()).toMatchObject({ data: [{ id: course.id }] })
    }
    collector.close()
    const ours = spans.filter((span) => span.traceId === traceId)
    const named = (name: string): Span => {
      const found = ours.find((span) => span.name === name)
      if (!found) throw new Error(`no span ${name} among ${ours.map((span) => span.name).join(', ')}`)
      return found
    }
    const post = named('students/create POST')
    const fanOut = named('students/fan-out student.to_modify')
    const enrol = named('courses/enrol student.modified')
    expect(post.parentSpanId).toBe(callerId)
    expect(fanOut.parentSpanId).toBe(post.spanId)
    expect(enrol.parentSpanId).toBe(fanOut.spanId)
    expect(
      ours.some(({ name, parentSpanId }) => name === 'postgres change' && parentSpanId === enrol.spanId),
    ).toBe(true)
  }, 300_000)

  test('costs nothing else where its collector is away: what starts ends as it should, and says what is lost', async () => {
    using own = new WholeTree()
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', IDLE_SECONDS: '1' }
    const started = new Started(own, { env })
    const said = (): string => started.stdout + started.stderr
    {
      await using run = await started.ready()
      const course = await aCourse(run)
      const student = await aStudent(run, [course.id])
      await until('the enrolment is confirmed', async () => {
        const { data }: { data: { state: string }[] } = await (
          await run.fetch(`/api/students/${student.id}/enrolments`)
        ).json()
        return data[0]?.state === 'confirmed'
      })
      // Functions and workers that were idle have gone, and a sweep has run to its end.
      await until('workers have stopped', async () =>
        /"event":"stopped","function":"students\/fan-out"/.test(said()),
      )
      await until('functions have stopped', async () =>
        /"event":"stopped","function":"students\/create"/.test(said()),
      )
    }
    expect(said()).not.toMatch(/"event":"died"/)
    expect(said()).toContain('the last spans were not taken')
  }, 300_000)
})
