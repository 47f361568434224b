import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, requestOf } from './connection.ts'
import { courseId, studentId } from './ids.ts'
import type { Options } from './options.ts'
import type { Row, Say } from './result.ts'
import type { Stage } from './stage.ts'
import { quantile } from './statistics.ts'

/** Not those that other rows enrol or read. */
const firstStudent = 1001
const firstCourse = 101
/** Under a course's limit. */
const perCourse = 50
const warmUp = 20
const patience = 5000

interface Sample {
  /** Milliseconds that the PATCH took. */
  readonly patch: number
  /** From its answer to the answer that shows the link on the other side. */
  readonly visible: number
}

/** Links made by PATCH, one after another, on warm workers, until the other side shows them. */
export async function linkToVisible(stage: Stage, { links }: Options, say: Say): Promise<Row[]> {
  await using stack = new AsyncDisposableStack()
  const [update, get, ...workers] = [
    'students/update',
    'courses/get',
    'students/fan-out',
    'courses/enrol',
  ].map((name) => stack.use(stage.spawn(name)))
  if (!update || !get) throw new Error('the functions are missing')
  await Promise.all(workers.map((worker) => worker.ready))
  const writer = stack.use(await Connection.open(await update.ready))
  const reader = stack.use(await Connection.open(await get.ready))
  const samples: Sample[] = []
  for (let i = 0; i < warmUp + links; i++) {
    const sample = await link(writer, reader, i)
    if (i >= warmUp) samples.push(sample)
    if (i % 50 === 0) say(`link ${i} of ${warmUp + links}: visible ${sample.visible.toFixed(1)} ms after`)
    // What the link before this one left to do in the background is not this one's.
    await sleep(5)
  }
  return rowsOf(samples)
}

async function link(writer: Connection, reader: Connection, i: number): Promise<Sample> {
  const student = studentId(firstStudent + i)
  const course = courseId(firstCourse + Math.floor(i / perCourse))
  const body = JSON.stringify({ course_ids: [course] })
  const patch = requestOf({ method: 'PATCH', path: `/api/students/${student}`, body })
  const get = requestOf({ method: 'GET', path: `/api/courses/${course}` })
  // The reader's answer comes from the cache until the link is written, as it would with readers about.
  await reader.request(get)
  const began = performance.now()
  const written = await writer.request(patch)
  const answered = performance.now()
  if (written.status !== 200) throw new Error(`the PATCH answered ${written.status}: ${written.body}`)
  for (;;) {
    const seen = await reader.request(get)
    const now = performance.now()
    if (seen.body.includes(student)) return { patch: answered - began, visible: now - answered }
    if (now - answered > patience) throw new Error(`the link was not visible within ${patience} ms`)
  }
}

function rowsOf(samples: readonly Sample[]): Row[] {
  const row = (what: string, of: (sample: Sample) => number, rest: Partial<Row> = {}): Row => {
    const values = samples.map(of)
    const latency = { p50: quantile(values, 0.5), p99: quantile(values, 0.99) }
    const measured = `${latency.p50.toFixed(1)} ms`
    return { group: 'link', what, measured, latency, samples: values.length, ...rest }
  }
  const visible = quantile(
    samples.map((sample) => sample.visible),
    0.5,
  )
  return [
    row('link: PATCH answered, until the other side shows it', (it) => it.visible, {
      aim: { text: 'p50 <= 6 ms', met: visible <= 6 },
      original: '13.5 / 29 ms',
    }),
    row('link: the PATCH itself', (it) => it.patch, { original: '7.8 ms' }),
    row('link: PATCH sent, until the other side shows it', (it) => it.patch + it.visible),
  ]
}
