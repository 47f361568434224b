import { Connection, requestOf, type Sent } from './connection.ts'
import { courseId, filled, studentId } from './ids.ts'
import type { Options } from './options.ts'
import type { Child } from './process.ts'
import { atMost, type Row, type Say } from './result.ts'
import type { Stage } from './stage.ts'
import { median, quantile, spread } from './statistics.ts'

interface Variant {
  readonly what: string
  readonly start: () => Child
  /** The first thing that it is asked, which is another one each time. */
  readonly request: (n: number) => Sent
  readonly status: number
  readonly marker?: string
  /** Another process sees to it that the first thing is in the cache. */
  readonly primed?: Child
  readonly aimed: boolean
  readonly original?: string
}

/** One start. */
export interface Sample {
  readonly ms: number
  /** MB. */
  readonly memory: number
  /** Seconds. */
  readonly cpu: number
}

const hit = 'cache-status: registrar; hit'
const miss = 'cache-status: registrar; fwd=miss'

/** From the spawn to the end of the first answer, each beside a hello's. */
export async function coldStarts(stage: Stage, { spawns }: Options, say: Say): Promise<Row[]> {
  await using stack = new AsyncDisposableStack()
  for (const service of ['students', 'courses'] as const)
    for (const operation of ['get', 'create'] as const) await prime(stage, service, operation)
  const warm = stack.use(stage.spawn('students/get'))
  const rows: Row[] = []
  for (const variant of variants(stage, warm)) {
    const hellos: Sample[] = []
    const own: Sample[] = []
    for (let n = 0; n < spawns; n++) {
      hellos.push(await helloStart(stage))
      own.push(await sample(variant, n))
    }
    say(`${variant.what}: ${Math.round(median(own.map(({ ms }) => ms)))} ms`)
    rows.push(...rowsOf(variant, hellos, own))
  }
  return rows
}

/** What other starts are measured against. */
export const helloStart = (stage: Stage): Promise<Sample> =>
  sample({ start: () => stage.hello(), request: () => get('/'), status: 200 }, 0)

const get = (path: string): Sent => ({ method: 'GET', path })

/** What the service's `create` is asked, another name each time. */
function post(service: 'students' | 'courses', n: number): Sent {
  const fields =
    service === 'students'
      ? { first_name: 'First', last_name: 'Last' }
      : { discipline: 'Mathematics', teacher: 'Emmy Noether', description: 'Rings and ideals' }
  return {
    method: 'POST',
    path: `/api/${service}`,
    body: JSON.stringify({ name: filled('Cold $n', n), ...fields }),
  }
}

function variants(stage: Stage, warm: Child): Variant[] {
  const bundle = { start: () => stage.spawn('students/get'), status: 200, aimed: true }
  return [
    {
      ...bundle,
      what: 'students/get, cache miss: Redis and Postgres',
      request: (n) => get(`/api/students/${studentId(10 + n)}`),
      marker: miss,
      original: '0.2 to 0.35x (Go; never at zero)',
    },
    {
      ...bundle,
      what: 'students/get, cache hit: Redis',
      request: () => get(`/api/students/${studentId(1)}`),
      marker: hit,
      primed: warm,
    },
    {
      ...bundle,
      what: 'courses/get, cache miss',
      start: () => stage.spawn('courses/get'),
      request: (n) => get(`/api/courses/${courseId(10 + n)}`),
      marker: miss,
    },
    {
      ...bundle,
      what: 'students/create, first 201',
      start: () => stage.spawn('students/create'),
      request: (n) => post('students', n),
      status: 201,
    },
    {
      ...bundle,
      what: 'courses/create, first 201',
      start: () => stage.spawn('courses/create'),
      request: (n) => post('courses', n),
      status: 201,
    },
    {
      ...bundle,
      what: 'students/get from its sources, cache miss',
      start: () => stage.spawn('students/get', { sources: true }),
      request: (n) => get(`/api/students/${studentId(200 + n)}`),
      marker: miss,
      aimed: false,
    },
  ]
}

/** Its first good end writes the code cache, with what these requests made V8 compile. */
async function prime(
  stage: Stage,
  service: 'students' | 'courses',
  operation: 'get' | 'create',
): Promise<void> {
  await using child = stage.spawn(`${service}/${operation}`)
  using connection = await Connection.open(await child.ready)
  const of = service === 'students' ? studentId : courseId
  for (const n of [2, 2, 3]) {
    const sent = operation === 'get' ? get(`/api/${service}/${of(n)}`) : post(service, 1000 + n)
    await connection.request(requestOf(sent))
  }
}

async function sample(
  {
    start,
    request,
    status,
    marker,
    primed,
  }: Pick<Variant, 'start' | 'request' | 'status' | 'marker' | 'primed'>,
  n: number,
): Promise<Sample> {
  const wanted = requestOf(request(n))
  if (primed) {
    using connection = await Connection.open(await primed.ready)
    await connection.request(wanted)
  }
  const began = performance.now()
  await using child = start()
  using connection = await Connection.open(await child.ready)
  const answer = await connection.request(wanted)
  const ms = performance.now() - began
  const { memory, cpu } = child
  if (answer.status !== status || (marker && !answer.head.includes(marker)))
    throw new Error(`the first answer was not as expected: ${answer.head}\n${answer.body}`)
  return { ms, memory, cpu }
}

function rowsOf(
  { what, aimed, original, primed }: Variant,
  hellos: readonly Sample[],
  own: readonly Sample[],
): Row[] {
  const against = (of: (sample: Sample) => number) =>
    spread(own.map((sample, i) => of(sample) / of(hellos[i] ?? sample)))
  const times = own.map(({ ms }) => ms)
  const [ratio, memory] = [against(({ ms }) => ms), against((it) => it.memory)]
  const megabytes = (samples: readonly Sample[]): string => median(samples.map((it) => it.memory)).toFixed(0)
  const start: Row = {
    group: 'cold',
    what: `cold start: ${what}`,
    measured: `${median(times).toFixed(0)} ms (hello ${median(hellos.map(({ ms }) => ms)).toFixed(0)})`,
    ratio,
    latency: { p50: median(times), p99: quantile(times, 0.99) },
    cpu: against((it) => it.cpu).median,
    ...(aimed ? { aim: atMost(1.6, ratio.median) } : {}),
    ...(original === undefined ? {} : { original }),
    samples: own.length,
  }
  if (!aimed || primed) return [start]
  const resident: Row = {
    group: 'cold',
    what: `memory after it: ${what}`,
    measured: `${megabytes(own)} MB (hello ${megabytes(hellos)})`,
    ratio: memory,
    aim: atMost(1.3, memory.median),
    ...(what.startsWith('students/get') ? { original: '0.33x (20 MB idle)' } : {}),
    samples: own.length,
  }
  return [start, resident]
}
