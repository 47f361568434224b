import { Redis } from 'ioredis'
import { Connection, requestOf } from './connection.ts'
import { courseId, studentId } from './ids.ts'
import { type Comparison, type Loads, openLoads, type Target } from './load.ts'
import type { Group, Options } from './options.ts'
import type { Child } from './process.ts'
import { type Aim, atLeast, atMost, type Row, type Say } from './result.ts'
import { enrol } from './seed.ts'
import { open, type Stage } from './stage.ts'

interface Case extends Target {
  readonly group: Group
  readonly aim?: (ratio: number) => Aim
  readonly original?: string
  /** Its memory, too, is a row. */
  readonly resident?: string
}

interface Scene {
  readonly stage: Stage
  /** Whatever it starts ends with it. */
  readonly stack: AsyncDisposableStack
  /** Students and courses that there are, numbered from 1. */
  readonly rows: number
  readonly redis: Redis
}

/** Requests per second of what is warm, against the hello's. */
export async function warmLoads(stage: Stage, rows: number, options: Options, say: Say): Promise<Row[]> {
  await using loads = await openLoads(stage, options, say)
  const done: Row[] = []
  for (const [group, make] of scenes) {
    if (!options.only.has(group)) continue
    await using stack = new AsyncDisposableStack()
    const redis = new Redis(stage.urls.CACHE_URL)
    stack.defer(() => redis.disconnect())
    const one = await make({ stage, stack, rows, redis })
    done.push(...(await measure(one, loads)))
  }
  return done
}

async function measure(one: Case, loads: Loads): Promise<Row[]> {
  const { group, what, aim, original, resident } = one
  const found = await loads.compare(one)
  const { ratio, p50, p99, cpu, perSecond, requests } = found
  const row: Row = {
    group,
    what,
    measured: `${perSecond.toFixed(0)} /s`,
    ratio,
    latency: { p50, p99 },
    cpu,
    ...(aim ? { aim: aim(ratio.median) } : {}),
    ...(original === undefined ? {} : { original }),
    samples: requests,
  }
  return resident === undefined ? [row] : [row, memoryRow(group, what, resident, found)]
}

function memoryRow(group: Group, what: string, original: string, found: Comparison): Row {
  const { memory, helloMemory, requests } = found
  const ratio = memory / helloMemory
  return {
    group,
    what: `memory under it: ${what}`,
    measured: `${memory.toFixed(0)} MB (hello ${helloMemory.toFixed(0)})`,
    ratio: { median: ratio, low: ratio, high: ratio },
    aim: atMost(1.3, ratio),
    original,
    samples: requests,
  }
}

const cached =
  (service: string, of: (n: number) => string, original: string) =>
  async ({ stage, stack }: Scene): Promise<Case> => {
    const process = stack.use(stage.spawn(`${service}/get`))
    const port = await process.ready
    const request = { method: 'GET', path: `/api/${service}/${of(1)}` }
    return {
      group: 'get',
      what: `GET ${service}/{id}, cached`,
      process,
      plan: () => ({ port, request, from: 0, status: 200, marker: 'cache-status: registrar; hit' }),
      before: () => ask(port, request.path),
      aim: (ratio) => atLeast(0.45, ratio),
      original,
      resident: service === 'students' ? '0.42x (35 MB)' : '0.37x (31 MB)',
    }
  }

const uncached =
  (service: string, original: string) =>
  async ({ stage, stack, rows, redis }: Scene): Promise<Case> => {
    const process = stack.use(stage.spawn(`${service}/get`))
    const port = await process.ready
    const request = { method: 'GET', path: `/api/${service}/$${service.slice(0, -1)}` }
    return {
      group: 'get',
      what: `GET ${service}/{id}, each asked once`,
      process,
      plan: () => ({
        port,
        request,
        from: 1,
        count: rows,
        status: 200,
        marker: 'cache-status: registrar; fwd=miss',
      }),
      before: () => redis.flushall(),
      original,
    }
  }

async function throughGateway({ stage, stack }: Scene): Promise<Case> {
  const key = 'a-key-of-the-benchmark'
  const env = { ...stage.urls, DATA_DIR: `${stage.dir}/gateway`, API_KEY: key, IDLE_SECONDS: '3600' }
  const process = stack.use(stage.script('scripts/start.ts', env))
  const port = await readyPort(process)
  const path = `/api/students/${studentId(1)}`
  const headers = { 'x-api-key': key }
  return {
    group: 'gateway',
    what: 'GET students/{id}, cached, through the local gateway',
    process,
    plan: () => ({
      port,
      request: { method: 'GET', path, headers },
      from: 0,
      status: 200,
      marker: 'cache-status: registrar; hit',
    }),
    before: () => ask(port, path, headers),
  }
}

/** The start says on its standard output where it serves. */
function readyPort({ process, exited }: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (chunk: Buffer): void => {
      said += chunk
      const port = /^ready http:\/\/localhost:(\d+)$/m.exec(said)?.[1]
      if (port === undefined) return
      process.stdout?.off('data', hear)
      resolve(Number(port))
    }
    process.stdout?.on('data', hear)
    exited.then((how) => reject(new Error(`the local run ended (${how}): ${said}`)))
  })
}

const posting =
  (service: string, fields: string, original?: string) =>
  async ({ stage, stack }: Scene): Promise<Case> => {
    const process = stack.use(stage.spawn(`${service}/create`))
    const port = await process.ready
    const body = `{"name":"Load $n",${fields}}`
    const request = { method: 'POST', path: `/api/${service}`, body }
    return {
      group: 'post',
      what: `POST ${service.slice(0, -1)}`,
      process,
      plan: (round) => ({ port, request, from: (round + 1) * 1_000_000, status: 201 }),
      ...(original === undefined
        ? {}
        : { aim: (ratio: number) => ({ text: '> 0.024x', met: ratio > 0.024 }), original }),
    }
  }

async function related({ stage, stack }: Scene): Promise<Case> {
  await using database = open(stage.urls.STUDENTS_URL)
  const courses = Array.from({ length: 5 }, (_, i) => courseId(i + 1))
  await enrol(database, studentId(1), courses)
  const lookup = stack.use(stage.spawn('courses/by-student'))
  const env = { COURSES_BY_STUDENT_URL: `http://127.0.0.1:${await lookup.ready}` }
  const process = stack.use(stage.spawn('students/courses', { env }))
  const port = await process.ready
  const path = `/api/students/${studentId(1)}/courses`
  const { data }: { data: unknown[] } = JSON.parse((await ask(port, path)).body.toString())
  if (data.length !== courses.length) throw new Error(`${data.length} related courses, not ${courses.length}`)
  return {
    group: 'related',
    what: 'GET students/{id}/courses, 5 over gRPC, callee cached',
    process,
    plan: () => ({
      port,
      request: { method: 'GET', path },
      from: 0,
      status: 200,
      marker: 'cache-status: registrar; hit',
    }),
    before: () => ask(port, path),
    original: '0.17x',
  }
}

async function ask(port: number, path: string, headers: Readonly<Record<string, string>> = {}) {
  using connection = await Connection.open(port)
  const answer = await connection.request(requestOf({ method: 'GET', path, headers }))
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body}`)
  return answer
}

const scenes: readonly (readonly [Group, (scene: Scene) => Promise<Case>])[] = [
  ['get', cached('students', studentId, '0.40x')],
  ['get', uncached('students', '0.07x')],
  ['get', cached('courses', courseId, '0.45x')],
  ['get', uncached('courses', '0.04x')],
  ['gateway', throughGateway],
  ['post', posting('students', '"first_name":"First","last_name":"Last"', '0.024x')],
  [
    'post',
    posting(
      'courses',
      '"discipline":"Mathematics","teacher":"Emmy Noether","description":"Rings and ideals"',
    ),
  ],
  ['related', related],
]
