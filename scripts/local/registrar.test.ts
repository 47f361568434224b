import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kill, Started, until } from './testing/fixture.ts'
import { WholeTree } from './testing/whole-tree.ts'

/*
 * The whole of it as its users run it: engines of its own, bundles, processes by demand.
 */

interface Entity {
  readonly id: string
  readonly course_ids?: readonly string[]
  readonly student_ids?: readonly string[]
}

let tree: WholeTree
let run: Started

beforeAll(async () => {
  tree = new WholeTree()
  run = await new Started(tree, { env: { IDLE_SECONDS: '2' } }).ready()
}, 240_000)

afterAll(async () => {
  await run?.[Symbol.asyncDispose]()
  tree?.[Symbol.dispose]()
}, 60_000)

let counter = 0

async function send(on: Started, method: string, path: string, body: unknown, headers = {}): Promise<Entity> {
  const response = await on.fetch(path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  expect(response.status, `${method} ${path}`).toBeLessThan(300)
  const { data }: { data: Entity } = JSON.parse(await response.text())
  return data
}

async function read<T>(on: Started, path: string): Promise<T> {
  const response = await on.fetch(path)
  expect(response.status, path).toBe(200)
  const { data }: { data: T } = JSON.parse(await response.text())
  return data
}

const aStudent = (on: Started, courseIds: readonly string[] = [], headers = {}): Promise<Entity> =>
  send(
    on,
    'POST',
    '/api/students',
    { name: `Name ${++counter}`, first_name: 'Ada', last_name: 'Lovelace', course_ids: courseIds },
    headers,
  )

const aCourse = (on: Started, studentIds: readonly string[] = []): Promise<Entity> =>
  send(on, 'POST', '/api/courses', {
    name: `Course ${++counter}`,
    discipline: 'Maths',
    teacher: 'Babbage',
    description: 'Engines',
    student_ids: studentIds,
  })

/** Names of the functions that have a process now, as `ps` shows them. */
function alive(on: Started): string[] {
  return on.processes
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', '')
      } catch {
        return ''
      }
    })
    .filter((title) => /^(students|courses|platform)\/[a-z-]+$/.test(title))
    .sort()
}

describe('a run', () => {
  test('enrols a student from one side and confirms it on the other', async () => {
    const course = await aCourse(run)
    const student = await aStudent(run, [course.id])
    await until('the course has the student', async () => {
      const { student_ids } = await read<Entity>(run, `/api/courses/${course.id}`)
      return student_ids?.includes(student.id) === true
    })
    expect(await read(run, `/api/students/${student.id}/enrolments`)).toMatchObject([
      { course_id: course.id, state: 'confirmed', since: expect.stringMatching(/Z$/) },
    ])
    expect(await read<Entity[]>(run, `/api/courses/${course.id}/students`)).toMatchObject([
      { id: student.id },
    ])
    expect(await read<Entity[]>(run, `/api/students/${student.id}/courses`)).toMatchObject([
      { id: course.id },
    ])
  })

  test('shows its processes by the names of their functions, and ends them when they are idle', async () => {
    // On a machine that is slow enough it may be idle, and gone, before it is looked for.
    await until('it is shown', async () => {
      await aStudent(run)
      return alive(run).includes('students/create')
    })
    await until('nothing but the runner and the engines lives', () => alive(run).length === 0)
  })

  test('shows how old the outboxes are that its sweepers found, when they have ended', async () => {
    await until('both are told', async () => {
      const metrics = await (await fetch(`${run.url}/metrics`)).text()
      return ['students', 'courses'].every((service) =>
        metrics.includes(`registrar_outbox_oldest_seconds{function="${service}/sweep"} 0\n`),
      )
    })
  })

  test('serves the merged metrics of its functions, those that have ended included', async () => {
    const metrics = await (await fetch(`${run.url}/metrics`)).text()
    expect(metrics).toMatch(/registrar_invocations_total\{function="students\/create",.*outcome="ok"\} [1-9]/)
    expect(metrics).toMatch(
      /registrar_invocations_total\{function="courses\/enrol",trigger="stream",.*\} [1-9]/,
    )
  })

  test('comes to equal sides although functions and workers are killed all the time', async () => {
    const courses = await Promise.all(Array.from({ length: 4 }, () => aCourse(run)))
    const students = await Promise.all(Array.from({ length: 6 }, () => aStudent(run)))
    const pick = (list: readonly Entity[]): string[] =>
      list.filter(() => Math.random() < 0.5).map(({ id }) => id)
    let going = true
    const killing = (async () => {
      while (going) {
        await sleep(150)
        const [victim] = functionPids(run).sort(() => Math.random() - 0.5)
        if (victim !== undefined) kill(victim)
      }
    })()
    for (let round = 0; round < 15; round++) {
      await Promise.all([
        ...students
          .slice(round % 3, (round % 3) + 2)
          .map(({ id }) => patch(run, `/api/students/${id}`, { course_ids: pick(courses) })),
        ...courses
          .slice(round % 2, (round % 2) + 2)
          .map(({ id }) => patch(run, `/api/courses/${id}`, { student_ids: pick(students) })),
      ])
    }
    going = false
    await killing
    await until(
      'both sides are equal',
      async () => {
        const [a, b] = [await links(run, 'students', students), await links(run, 'courses', courses)]
        return JSON.stringify(a) === JSON.stringify(b)
      },
      120_000,
    )
  }, 300_000)
})

function functionPids(on: Started): number[] {
  return on.processes.filter((pid) => {
    try {
      return /^(students|courses)\/[a-z-]+\0*$/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
    } catch {
      return false
    }
  })
}

/** Of a process that is killed meanwhile the answer is a 502 or 503, never a hang. */
async function patch(on: Started, path: string, body: unknown): Promise<void> {
  const response = await on.fetch(path, {
    method: 'PATCH',
    headers: { 'content-type': 'application/merge-patch+json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  expect([200, 502, 503]).toContain(response.status)
}

async function links(
  on: Started,
  service: 'students' | 'courses',
  entities: readonly Entity[],
): Promise<string[]> {
  const all = await Promise.all(entities.map(({ id }) => read<Entity>(on, `/api/${service}/${id}`)))
  return all
    .flatMap(({ id, course_ids, student_ids }) => [
      ...(course_ids ?? []).map((course) => `${id} ${course}`),
      ...(student_ids ?? []).map((student) => `${student} ${id}`),
    ])
    .sort()
}

describe('a folder more', () => {
  test('is a function more, reached through the gateway', async () => {
    using own = new WholeTree()
    own.write(
      'functions/students/count/function.ts',
      `import * as v from 'valibot'
import { defineFunction } from '../../../shared/spec/define-function.ts'

export default defineFunction({
  summary: 'Counts the students on a page',
  trigger: {
    kind: 'http',
    operations: {
      count: {
        method: 'GET',
        path: '/api/students/count',
        summary: 'How many students the first page has',
        success: { status: 200, description: 'The number', body: v.object({ count: v.number() }), example: { count: 3 } },
      },
    },
  },
  needs: ['repository'],
})
`,
    )
    own.write(
      'functions/students/count/handler.ts',
      `import type { Dependencies } from '../wiring.ts'

export default ({ repository }: Dependencies<'repository'>) => ({
  count: async () => {
    const { items } = await repository.list({ limit: 200, sort: 'created_at', descending: false, filter: {} })
    return { body: { count: items.length } }
  },
})
`,
    )
    execFileSync(process.execPath, ['scripts/generate.ts'], { cwd: own.root })
    for (const file of ['kong/kong.yml', 'openapi.json']) {
      expect(readFileSync(`${own.root}/${file}`, 'utf8')).toContain('/api/students/count')
    }
    await using started = await new Started(own).ready()
    await aStudent(started)
    const response = await started.fetch('/api/students/count')
    expect([response.status, await response.json()]).toEqual([200, { count: 1 }])
    expect((await started.fetch('/api/students/count', { method: 'POST', body: '' })).status).toBe(405)
  }, 300_000)
})

test('a broker that comes back without its store gets its streams again', async () => {
  using own = new WholeTree()
  await using started = await new Started(own, { env: { IDLE_SECONDS: '2' } }).ready()
  const course = await aCourse(started)
  const engines: { NATS: { pid: number } } = JSON.parse(readFileSync(`${own.dataDir}/engines.json`, 'utf8'))
  rmSync(`${own.dataDir}/nats/store`, { recursive: true })
  process.kill(engines.NATS.pid, 'SIGKILL')
  await until('it is back', () => started.stdout.includes('"engine restarted","engine":"NATS"'))
  const student = await aStudent(started, [course.id])
  await until('the course has the student', async () => {
    const { student_ids } = await read<Entity>(started, `/api/courses/${course.id}`)
    return student_ids?.includes(student.id) === true
  })
}, 300_000)

interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
}

describe('a trace', () => {
  test('goes from a POST through outbox and stream to the write on the other side', async () => {
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
    const callerId = '00f067aa0ba902b7'
    {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` }
      await using started = await new Started(own, { env }).ready()
      const course = await aCourse(started)
      const student = await aStudent(started, [course.id], { traceparent: `00-${traceId}-${callerId}-01` })
      await until('the course has the student', async () => {
        const { student_ids } = await read<Entity>(started, `/api/courses/${course.id}`)
        return student_ids?.includes(student.id) === true
      })
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
})
