import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'nats'
import { expect } from 'vitest'
import { natsAddress } from '../../shared/adapters/nats-address.ts'
import { pause, resume } from '../../shared/testing/pausing.ts'
import { type Started, until } from '../local/testing/fixture.ts'
import type { WholeTree } from '../local/testing/whole-tree.ts'

interface Entity {
  readonly id: string
  readonly course_ids?: readonly string[]
  readonly student_ids?: readonly string[]
}

export const students = 3
let counter = 0

/** Has every function do what it is for, at least once: reads and writes of both sides, enrolments from both, a miss and a hit. */
export async function load(run: Started): Promise<void> {
  const courses = await Promise.all([aCourse(run), aCourse(run), aCourse(run)])
  const created = await Promise.all(Array.from({ length: students }, () => aStudent(run)))
  const [course, student] = [courses[0]?.id ?? '', created[0]?.id ?? '']
  await patch(run, `/api/students/${student}`, { course_ids: [course] })
  await patch(run, `/api/courses/${courses[1]?.id}`, { student_ids: [created[1]?.id] })
  await until('both sides have both', async () => {
    const [one, other] = [
      await read(run, `/api/courses/${course}`),
      await read(run, `/api/students/${created[1]?.id}`),
    ]
    return one.student_ids?.length === 1 && other.course_ids?.length === 1
  })
  for (const path of ['/api/students', '/api/courses', `/api/students/${student}`, `/api/courses/${course}`])
    for (let times = 0; times < 2; times++) await expectStatus(run, 200, path)
  await expectStatus(run, 200, `/api/students/${student}/courses`)
  await expectStatus(run, 200, `/api/courses/${course}/students`)
  await expectStatus(run, 204, `/api/students/${created[2]?.id}`, { method: 'DELETE' })
  await expectStatus(run, 204, `/api/courses/${courses[2]?.id}`, { method: 'DELETE' })
  await expectStatus(run, 200, '/api/openapi.json')
}

/** A message for each side that no worker can make anything of. */
export async function poison(run: Started, tree: WholeTree): Promise<void> {
  const { EVENTS_URL = '' } = urlsOf(tree)
  const connection = await connect(natsAddress(EVENTS_URL))
  for (const subject of ['student.modified', 'course.modified'])
    await connection.jetstream().publish(subject, Buffer.from('no protobuf'))
  await connection.close()
  await until('both are buried', async () => {
    const metrics = await (await fetch(`${run.url}/metrics`)).text()
    return ['students', 'courses'].every((service) =>
      metrics.includes(`registrar_dead_letters_total{function="${service}/enrol",reason="undecodable"} 1`),
    )
  })
}

/** With the databases held, so that each side answers with a 503: twice, and between is time to be scraped. */
export async function fail(run: Started, tree: WholeTree): Promise<void> {
  const { Postgres }: { Postgres: { pid: number } } = JSON.parse(
    readFileSync(`${tree.dataDir}/engines.json`, 'utf8'),
  )
  pause(Postgres.pid)
  try {
    for (const name of ['nobody', 'nothing']) {
      const paths = ['students', 'courses'].map((service) => `/api/${service}?name=${name}`)
      await Promise.all(paths.map((path) => expectStatus(run, 503, path)))
      await sleep(1500)
    }
  } finally {
    resume(Postgres.pid)
  }
}

export const urlsOf = (tree: WholeTree): Record<string, string> =>
  JSON.parse(readFileSync(`${tree.dataDir}/run.json`, 'utf8')).urls

async function expectStatus(
  run: Started,
  status: number,
  path: string,
  init: RequestInit = {},
): Promise<string> {
  const response = await run.fetch(path, init)
  const text = await response.text()
  expect(response.status, `${path}: ${text}`).toBe(status)
  return text
}

async function read(run: Started, path: string): Promise<Entity> {
  const { data }: { data: Entity } = JSON.parse(await expectStatus(run, 200, path))
  return data
}

async function send(
  run: Started,
  status: number,
  method: string,
  path: string,
  body: object,
): Promise<Entity> {
  const headers = { 'content-type': 'application/json' }
  const text = await expectStatus(run, status, path, { method, headers, body: JSON.stringify(body) })
  const { data }: { data: Entity } = JSON.parse(text)
  return data
}

const patch = (run: Started, path: string, body: object): Promise<Entity> =>
  send(run, 200, 'PATCH', path, body)

const aStudent = (run: Started): Promise<Entity> =>
  send(run, 201, 'POST', '/api/students', {
    name: `Name ${++counter}`,
    first_name: 'Ada',
    last_name: 'Lovelace',
  })

const aCourse = (run: Started): Promise<Entity> =>
  send(run, 201, 'POST', '/api/courses', {
    name: `Course ${++counter}`,
    discipline: 'Maths',
    teacher: 'Babbage',
    description: 'Engines',
  })
