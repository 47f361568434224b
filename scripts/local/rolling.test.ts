import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { isAlive } from './process-table.ts'
import { aCourse, aStudent, type Entity, read } from './testing/client.ts'
import { Started, until } from './testing/fixture.ts'
import { WholeTree } from './testing/whole-tree.ts'

/** Processes of functions and workers: what a new version replaces. */
function replaceable(run: Started): number[] {
  return run.processes.filter((pid) => {
    try {
      return /^(students|courses|platform)\/[a-z-]+\0*$/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
    } catch {
      return false
    }
  })
}

/** Asks it to end, as a platform does, and waits until it has. */
async function replace(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGTERM')
  } catch {
    return
  }
  await until('it has ended', () => !isAlive(pid))
}

test('no request of 50 clients fails while every process is replaced, one after the other, again and again', async () => {
  using tree = new WholeTree()
  await using run = await new Started(tree).ready()
  const courses = await Promise.all(Array.from({ length: 5 }, () => aCourse(run)))
  const students = await Promise.all(Array.from({ length: 50 }, () => aStudent(run)))
  const failed: unknown[] = []
  let answered = 0
  let going = true

  async function ask(method: string, path: string, body?: unknown): Promise<Entity | undefined> {
    const headers = {
      'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
    }
    try {
      const response = await run.fetch(path, {
        method,
        ...(body === undefined ? {} : { headers, body: JSON.stringify(body) }),
      })
      const text = await response.text()
      answered++
      if (response.status >= 300) failed.push([method, path, response.status, text])
      else if (text) return JSON.parse(text).data
    } catch (error) {
      failed.push([method, path, error])
    }
    return undefined
  }

  /** Every function, one after the other, by what is there and by one that is made and removed. */
  async function round(id: string, client: number, count: number): Promise<void> {
    const course = courses[(client + count) % courses.length]?.id ?? ''
    const names = { name: `Client ${client}`, first_name: `Round ${count}`, last_name: 'Lovelace' }
    const about = { discipline: 'Maths', teacher: 'Babbage', description: 'Engines' }
    await ask('GET', `/api/students/${id}`)
    await ask('PATCH', `/api/students/${id}`, { course_ids: count % 2 ? [course] : [] })
    await ask('GET', `/api/courses/${course}`)
    await ask('GET', `/api/students?limit=${1 + (count % 50)}`)
    await ask('GET', `/api/courses?limit=${1 + (count % 50)}`)
    await ask('GET', `/api/students/${id}/courses`)
    await ask('GET', `/api/courses/${course}/enrolments`)
    await ask('GET', '/api/openapi.json')
    for (const [path, body] of [
      ['/api/students', names],
      ['/api/courses', { ...about, name: `Client ${client}.${count}` }],
    ] as const) {
      const made = await ask('POST', path, body)
      if (!made) continue
      await ask('PUT', `${path}/${made.id}`, body)
      await ask('DELETE', `${path}/${made.id}`)
    }
  }

  const clients = students.map(async ({ id }, client) => {
    for (let count = 0; going; count++) await round(id, client, count)
  })
  let replaced = 0
  while (replaced < 30) {
    for (const pid of replaceable(run)) {
      await replace(pid)
      replaced++
      await sleep(50)
    }
  }
  going = false
  await Promise.all(clients)
  expect(failed).toEqual([])
  expect(answered).toBeGreaterThan(500)
  await until('both sides are equal', async () => {
    const now = await Promise.all(students.map(({ id }) => read<Entity>(run, `/api/students/${id}`)))
    const then = await Promise.all(courses.map(({ id }) => read<Entity>(run, `/api/courses/${id}`)))
    const ours = now.flatMap(({ id, course_ids }) => (course_ids ?? []).map((course) => `${id} ${course}`))
    const theirs = then.flatMap(({ id, student_ids }) =>
      (student_ids ?? []).map((student) => `${student} ${id}`),
    )
    return ours.sort().join() === theirs.sort().join()
  })
  console.log(`${answered} requests answered, ${replaced} processes replaced`)
}, 300_000)
