import { Redis } from 'ioredis'
import { cursorScope, encodeCursor } from '../../shared/resource/cursor.ts'
import { Connection, requestOf } from './connection.ts'
import { courseId, studentId } from './ids.ts'
import type { Options } from './options.ts'
import type { Row, Say } from './result.ts'
import { type Service, seed, someNames } from './seed.ts'
import { open, type Stage } from './stage.ts'
import { median, quantile } from './statistics.ts'

/** One service's list over a table of one size. */
interface Filled {
  readonly size: number
  readonly port: number
  /** SQL's view of the row in the middle, from which the deep pages go on. */
  readonly middle: Readonly<Record<string, string | number>>
}

interface Table extends Filled {
  readonly connection: Connection
}

interface Kind {
  readonly what: string
  readonly sort?: string
  readonly filter?: Readonly<Record<string, string>>
  /** Goes on from the middle of the table. */
  readonly deep?: true
  /** As many as the smallest table has, so that all pages are full. */
  readonly limit?: number
}

const kinds: Record<Service, readonly Kind[]> = {
  students: [
    { what: 'first page' },
    { what: 'deep page', deep: true },
    { what: 'sorted by last_name', sort: 'last_name' },
    { what: 'sorted by last_name, deep', sort: 'last_name', deep: true },
    { what: 'filtered by last_name', filter: { last_name: someNames.last }, limit: 20 },
    {
      what: 'filtered by two names',
      filter: { first_name: someNames.first, last_name: someNames.last },
      limit: 1,
    },
    {
      what: 'filtered by first_name, sorted by last_name',
      filter: { first_name: someNames.first },
      sort: 'last_name',
      limit: 20,
    },
  ],
  courses: [
    { what: 'first page' },
    { what: 'deep page', deep: true },
    { what: 'sorted by teacher', sort: 'teacher' },
    { what: 'filtered by teacher', filter: { teacher: `${someNames.first} ${someNames.last}` }, limit: 1 },
    { what: 'filtered by kind', filter: { kind: 'elective' } },
    { what: 'filtered by kind, sorted by name', filter: { kind: 'elective' }, sort: 'name' },
  ],
}

/** Noise, and the tree of an index one level deeper, are no growth. */
const flat = 1.5
const warmUp = 20

/** Pages of one list over tables of several sizes, each read alone and with nothing in the cache. */
export async function listPages(stage: Stage, { rows: sizes, pages }: Options, say: Say): Promise<Row[]> {
  const rows: Row[] = []
  for (const service of ['students', 'courses'] as const) {
    await using stack = new AsyncDisposableStack()
    const redis = new Redis(stage.urls.CACHE_URL)
    stack.defer(() => redis.disconnect())
    const filled: Filled[] = []
    for (const [i, size] of sizes.entries()) {
      say(`filling a table of ${size} ${service}`)
      filled.push(await fill(stage, stack, service, size, i + 1))
    }
    // Only now: a server gives up on a connection that says nothing while a million rows are made.
    const tables = await Promise.all(
      filled.map(
        async (one): Promise<Table> => ({ ...one, connection: stack.use(await Connection.open(one.port)) }),
      ),
    )
    for (const kind of kinds[service]) {
      const times = await measure(service, kind, tables, pages, redis)
      rows.push(rowOf(service, kind, sizes, times))
      say(`${service}, ${kind.what}: ${rows.at(-1)?.measured}`)
    }
  }
  return rows
}

async function fill(
  stage: Stage,
  stack: AsyncDisposableStack,
  service: Service,
  size: number,
  cache: number,
): Promise<Filled> {
  const name = `pages_${service}_${size}`
  const urls = await stage.database(name, cache)
  // A million rows need not be kept while the other service's are made.
  stack.defer(() => stage.dropDatabase(name))
  await seed(urls.STUDENTS_URL, service, size)
  await using database = open(urls.STUDENTS_URL)
  const id = (service === 'students' ? studentId : courseId)(Math.floor(size / 2))
  const own = service === 'students' ? 'last_name' : `document->>'teacher' as teacher`
  const [middle] = await database.sql.unsafe(
    `select id, (extract(epoch from created_at) * 1000)::float8 as created_at, ${own} from ${service}.entities where id = $1`,
    [id],
  )
  const list = stack.use(stage.spawn(`${service}/list`, { env: urls }))
  return { size, port: await list.ready, middle: { ...middle } }
}

/** Milliseconds by table; the tables take turns, so that what disturbs the machine disturbs all. */
async function measure(
  service: Service,
  kind: Kind,
  tables: readonly Table[],
  pages: number,
  redis: Redis,
): Promise<number[][]> {
  const times: number[][] = tables.map(() => [])
  for (let i = 0; i < warmUp + pages; i++) {
    for (const [at, table] of tables.entries()) {
      const request = requestOf({ method: 'GET', path: pathOf(service, kind, table) })
      await redis.flushall()
      const began = performance.now()
      const answer = await table.connection.request(request)
      const took = performance.now() - began
      if (answer.status !== 200 || !answer.head.includes('cache-status: registrar; fwd=miss'))
        throw new Error(`${service}, ${kind.what}: ${answer.head}\n${answer.body}`)
      if (i >= warmUp) times[at]?.push(took)
    }
  }
  return times
}

function pathOf(
  service: Service,
  { sort = 'created_at', filter = {}, limit = 50, deep }: Kind,
  { middle }: Table,
): string {
  const query = new URLSearchParams({ ...filter, limit: String(limit), sort })
  if (deep) {
    // To walk there would take as long as the rest of the benchmark: made as the list itself makes it.
    const scope = cursorScope(service, { sort, descending: false, filter })
    query.set('cursor', encodeCursor(scope, { value: middle[sort] ?? '', id: String(middle['id']) }))
  }
  return `/api/${service}?${query}`
}

function rowOf(service: Service, { what }: Kind, sizes: readonly number[], times: readonly number[][]): Row {
  const medians = times.map(median)
  const [first = Number.NaN] = medians
  const last = medians.at(-1) ?? Number.NaN
  const ratio = last / first
  const low = quantile(times.at(-1) ?? [], 0.25) / first
  const high = quantile(times.at(-1) ?? [], 0.75) / first
  const each = medians.map((ms, i) => `${short(sizes[i] ?? 0)}: ${ms.toFixed(2)}`)
  return {
    group: 'pages',
    what: `list ${service}: ${what}`,
    measured: `${each.join(', ')} ms`,
    ratio: { median: ratio, low, high },
    latency: { p50: last, p99: quantile(times.at(-1) ?? [], 0.99) },
    aim: { text: `flat (<= ${flat}x)`, met: ratio <= flat },
    ...(service === 'students' && what === 'first page' ? { original: 'no pages: 20x rows, 12x time' } : {}),
    samples: times.at(-1)?.length ?? 0,
  }
}

const short = (size: number): string =>
  size >= 1e6 ? `${size / 1e6}M` : size >= 1000 ? `${size / 1000}k` : `${size}`
