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

  async function ask(method: string, path: string, body?: unknown): Promise<void> {
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
    } catch (error) {
      failed.push([method, path, error])
    }
  }

  const clients = students.map(async ({ id }, client) => {
    for (let round = 0; going; round++) {
      const course = courses[(client + round) % courses.length]
      if (!course) continue
      await ask('GET', `/api/students/${id}`)
      await ask('PATCH', `/api/students/${id}`, { course_ids: round % 2 ? [course.id] : [] })
      await ask('GET', `/api/courses/${course.id}`)
      await ask('GET', `/api/students?limit=${1 + (round % 50)}`)
      await ask('GET', `/api/students/${id}/courses`)
    }
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
