import { readFileSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aCourse, aStudent, type Entity, read } from './testing/client.ts'
import { kill, Started, until } from './testing/fixture.ts'
import { WholeTree } from './testing/whole-tree.ts'

/*
 * The whole of it as its users run it: engines of its own, bundles, processes by demand.
 */

let tree: WholeTree
let run: Started

beforeAll(async () => {
  tree = new WholeTree()
  run = await new Started(tree, { env: { IDLE_SECONDS: '2' } }).ready()
}, 240_000)

afterAll(async () => {
  await run?.[Symbol.asyncDispose]()
  tree?.[Symbol.dispose]()
}, 180_000)

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
    const statuses = new Set<number>()
    for (let round = 0; round < 15; round++) {
      const answered = await Promise.all([
        ...students
          .slice(round % 3, (round % 3) + 2)
          .map(({ id }) => patch(run, `/api/students/${id}`, { course_ids: pick(courses) })),
        ...courses
          .slice(round % 2, (round % 2) + 2)
          .map(({ id }) => patch(run, `/api/courses/${id}`, { student_ids: pick(students) })),
      ])
      for (const status of answered) statuses.add(status)
    }
    going = false
    await killing
    // Sides that nothing came to are equal as well.
    expect(statuses).toContain(200)
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
async function patch(on: Started, path: string, body: unknown): Promise<number> {
  const response = await on.fetch(path, {
    method: 'PATCH',
    headers: { 'content-type': 'application/merge-patch+json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  expect([200, 502, 503]).toContain(response.status)
  return response.status
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
