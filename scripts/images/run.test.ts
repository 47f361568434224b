import { readdir, stat } from 'node:fs/promises'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { courseLookup, studentLookup } from '../../shared/adapters/grpc-lookups.ts'
import type { Variables } from '../../shared/config.ts'
import { Api } from '../../shared/testing/http-conformance/expect.ts'
import { choose, type HttpFunction } from '../../shared/testing/http-conformance/hosts.ts'
import { httpConformance } from '../../shared/testing/http-conformance/http-conformance.ts'
import { openPlatform } from '../../shared/testing/http-conformance/platform.ts'
import { courses, students, unique } from '../../shared/testing/http-conformance/services.ts'
import { exchange, type Target } from '../../shared/testing/http-conformance/target.ts'
import { describeMongo } from '../../shared/testing/mongo.ts'
import { type Container, Containers } from './testing/containers.ts'

const stack = new AsyncDisposableStack()
let containers: Containers
let variables: Variables
let target: Target
/** Those of the target, by their slugs. */
const started = new Map<string, Promise<Container>>()

beforeAll(async () => {
  containers = stack.use(await Containers.open())
  ;({ variables } = stack.use(await openPlatform()))
  const [byCourse, byStudent] = await Promise.all([start('students-by-course'), start('courses-by-student')])
  const lookups = {
    STUDENTS_BY_COURSE_URL: `http://127.0.0.1:${byCourse.port}`,
    COURSES_BY_STUDENT_URL: `http://127.0.0.1:${byStudent.port}`,
  }
  variables = { ...variables, ...lookups }
  target = stack.use(served())
}, 240_000)
afterAll(() => stack.disposeAsync(), 60_000)

/** One container of each, started when it is first needed. */
function start(slug: string): Promise<Container> {
  const running = started.get(slug) ?? containers.start(slug, { ...variables, FUNCTION: slug })
  started.set(slug, running)
  return running
}

function served(): Target {
  const agent = new Agent({ keepAlive: true })
  const functions = containers.functions.flatMap((found): HttpFunction[] => {
    const { trigger } = found.declaration
    return trigger.kind === 'http' ? [{ found, trigger }] : []
  })
  return {
    name: 'images',
    async request(method, path, sent) {
      const { found } = choose(functions, method, path.split('?')[0] ?? '')
      return exchange((await start(found.name.slug)).port, agent, method, path, sent)
    },
    [Symbol.asyncDispose]: async () => agent.destroy(),
  }
}

httpConformance('images', async () => ({ ...target, [Symbol.asyncDispose]: async () => {} }))

describe('as its image would', () => {
  it.each(['students-by-course', 'courses-by-student'])('%s answers gRPC', async (slug) => {
    const { port } = await start(slug)
    const [service, lookup] =
      slug === 'students-by-course' ? [students, studentLookup] : [courses, courseLookup]
    const other = service === students ? courses : students
    const { id } = await new Api(target, other).create()
    const made = await new Api(target, service).create({ [service.linkField]: [id] })
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
    const { members } = await lookup(`http://127.0.0.1:${port}`).membersOf(id, { traceparent })
    expect(members).toEqual([made.one])
  })

  it('the workers carry an enrolment from either side to the other', async () => {
    const workers = containers.functions.filter(({ declaration }) => declaration.trigger.kind === 'stream')
    expect(workers.length).toBe(4)
    await Promise.all(workers.map(({ name }) => start(name.slug)))
    for (const [service, other] of [
      [students, courses],
      [courses, students],
    ] as const) {
      const { id } = await new Api(target, other).create()
      const made = await new Api(target, service).create({ [service.linkField]: [id] })
      const states = async () =>
        (await new Api(target, service).get(`/${made.id}/enrolments`)).many.map(({ state }) => state)
      await expect.poll(states).toEqual(['confirmed'])
    }
  })

  it('the docs read what lies beside their bundle', async () => {
    for (const path of ['openapi.json', 'docs', 'docs/swagger-ui-bundle.js', 'docs/registrar.css'])
      expect((await target.request('GET', `/api/${path}`)).status).toBe(200)
  })

  it('the initializer reads its migrations, plans, and ends', async () => {
    const { code, out } = await containers.run('platform-initialize', variables, '--check')
    expect([code, out]).toEqual([0, expect.stringContaining('in place: nothing differs')])
  })

  it.each(['students-sweep', 'courses-sweep'])('%s runs to its end', async (slug) => {
    const { code, out } = await containers.run(slug, variables)
    expect([code, out]).toEqual([0, expect.stringContaining('"outcome":"ok"')])
  })

  it('a job that cannot be done ends with 1', async () => {
    const { code } = await containers.run('students-sweep', {
      ...variables,
      STUDENTS_URL: 'postgres://127.0.0.1:9/x',
    })
    expect(code).toBe(1)
  })

  it('what lacks its configuration says all of it, and ends', async () => {
    const { code, out } = await containers.run('students-courses', {})
    expect(code).toBe(1)
    for (const variable of ['STUDENTS_URL', 'COURSES_BY_STUDENT_URL']) expect(out).toContain(variable)
  })

  describe('on call', () => {
    it('a sweeper runs at each POST, one run at a time, and ends with its run', async () => {
      const container = await containers.start('students-sweep-on-call', variables)
      const call = (method = 'POST', path = '/') =>
        fetch(`http://127.0.0.1:${container.port}${path}`, { method })
      const both = await Promise.all([call(), sleep(20).then(() => call())])
      expect(both.map(({ status }) => status)).toEqual([200, 503])
      expect((await call('GET')).status).toBe(405)
      expect((await call('GET', '/_/health')).status).toBe(200)
      const last = call()
      await sleep(100)
      const { code, out } = await container.stop()
      expect([(await last).status, code]).toEqual([200, 0])
      expect(out.match(/"outcome":"ok"/g)?.length).toBe(2)
    })

    it('tells that a run failed, and nothing of why', async () => {
      await using container = await containers.start('students-sweep-on-call', {
        ...variables,
        STUDENTS_URL: 'postgres://127.0.0.1:9/x',
      })
      const answer = await fetch(`http://127.0.0.1:${container.port}/`, { method: 'POST' })
      expect([answer.status, await answer.text()]).toEqual([500, 'failed: the log says why\n'])
    })
  })
})

it('the image of the events takes a CloudEvent for the function that it is told to be', async () => {
  await using container = await containers.start('events', variables, '--target=courses-enrol')
  const headers = {
    'ce-id': unique(),
    'ce-source': 'test',
    'ce-type': 'student.modified',
    'ce-specversion': '1.0',
  }
  const post = (more: object) =>
    fetch(`http://127.0.0.1:${container.port}/`, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: 'x',
    })
  // Bytes that are no message are buried, and so settled; what is no event is refused.
  expect((await post({ 'content-type': 'application/octet-stream' })).status).toBe(204)
  expect((await post({ 'content-type': 'application/octet-stream', 'ce-id': '' })).status).toBe(400)
  // And without its configuration it is not there to be asked.
  const { code, out } = await containers.run(
    'events',
    { PORT: `${container.port}` },
    '--target=courses-enrol',
  )
  expect([code, out]).toEqual([1, expect.stringContaining('COURSES_URL')])
})

await describeMongo('courses on MongoDB', 'any', () => {
  it('are created and read with the driver that lies beside the bundles', async () => {
    await using platform = await openPlatform('mongo')
    await using create = await containers.start('courses-create', platform.variables)
    await using get = await containers.start('courses-get', platform.variables)
    const agent = new Agent()
    const { status, one } = await exchange(create.port, agent, 'POST', '/api/courses', {
      headers: { 'content-type': 'application/json' },
      body: courses.make(),
    })
    expect(status).toBe(201)
    expect((await exchange(get.port, agent, 'GET', `/api/courses/${one['id']}`)).one).toEqual(one)
  })
})

it('all of them end well, and have written nothing', async () => {
  const running = [...started]
  expect(running.length).toBeGreaterThanOrEqual(15 + 4)
  for (const [slug, container] of running) {
    const { code, out } = await (await container).stop()
    expect([slug, code], out.slice(-2000)).toEqual([slug, 0])
  }
  started.clear()
  for (const { name } of containers.functions) {
    const dir = containers.rootOf(name.slug)
    const files = await readdir(dir, { recursive: true })
    expect(files.filter((file) => /\.cache\.\d+$/.test(file))).toEqual([])
    if (process.getuid?.() === 0) for (const file of files) expect((await stat(join(dir, file))).uid).toBe(0)
  }
})
