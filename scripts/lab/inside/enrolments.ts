import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from './api.ts'
import { lags } from './lag.ts'
import { difference, linksOf } from './roster.ts'
import { type Scene, slugsOf } from './scene.ts'

/** What came of the enrolments. */
export interface Enrolled {
  readonly links: number
  /** Milliseconds that all PATCHes took together. */
  readonly written: number
  /** Milliseconds from the last PATCH's answer until no consumer had anything left. */
  readonly settled: number
  /** By worker: most pods at a time, and the largest lag that was seen. */
  readonly workers: Readonly<Record<string, { readonly most: number; readonly lag: number }>>
  /** Seconds from then until the last worker was gone. */
  readonly gone: number
}

/** Of each of two groups, the one enrolled by its students and the other by its courses: within the limits of both. */
const [perCourse, perStudent] = [25, 10]
const links = 2 * perCourse * perStudent

/** 500 enrolments from both sides at once: workers come and go by their lag, and both sides agree in the end. */
export async function enrolments(scene: Scene): Promise<Enrolled | undefined> {
  const { checks, api, pods } = scene
  const workers = slugsOf(scene, 'stream')
  let enrolled: Enrolled | undefined
  await checks.check(
    `${links} enrolments from both sides: workers 0 -> N -> 0, and both sides are equal`,
    async () => {
      const [students, courses] = [await people(api), await subjects(api)]
      const [otherStudents, otherCourses] = [await people(api), await subjects(api)]
      await settled()
      await pods.untilNone(workers, 180)
      using watch = new Watch(scene, workers)
      const began = Date.now()
      await Promise.all([
        ...students.map((id) => grow(api, `/api/students/${id}`, 'course_ids', courses)),
        ...otherCourses.map((id) => grow(api, `/api/courses/${id}`, 'student_ids', otherStudents)),
      ])
      const written = Date.now()
      await settled()
      const done = Date.now()
      const [a, b] = [
        await linksOf(api, 'students', new Set([...students, ...otherStudents])),
        await linksOf(api, 'courses', new Set([...courses, ...otherCourses])),
      ]
      const between = difference(a, b)
      if (a.size !== links || between.length > 0)
        throw new Error(
          `students have ${a.size} links, courses ${b.size}; ${between.length} on one side only`,
        )
      await pods.untilNone(workers, 240)
      const seen = Object.fromEntries(workers.map((slug) => [slug, watch.most(slug)]))
      enrolled = {
        links: a.size,
        written: written - began,
        settled: done - written,
        workers: seen,
        gone: (Date.now() - done) / 1000,
      }
      const idle = workers.filter((slug) => watch.most(slug).most === 0)
      if (idle.length > 0) throw new Error(`${idle.join(', ')} had nothing to do`)
      return workers
        .map((slug) => `${slug} 0-${watch.most(slug).most}-0 at a lag of ${watch.most(slug).lag}`)
        .join(', ')
    },
  )
  return enrolled
}

/** One more link at each PATCH: each of them is a message of its own. */
async function grow(api: Api, path: string, field: string, ids: readonly string[]): Promise<void> {
  for (let i = 1; i <= ids.length; i++)
    await api.must(200, 'PATCH', path, { [field]: ids.slice(0, i) }, mergePatch)
}

const mergePatch = { 'content-type': 'application/merge-patch+json' }

const unique = (): string => randomBytes(6).toString('hex')

const people = (api: Api): Promise<string[]> =>
  create(api, '/api/students', perCourse, () => ({
    name: unique(),
    first_name: unique(),
    last_name: unique(),
  }))

const subjects = (api: Api): Promise<string[]> =>
  create(api, '/api/courses', perStudent, () => ({
    name: unique(),
    discipline: unique(),
    teacher: unique(),
    description: unique(),
  }))

async function create(api: Api, path: string, count: number, body: () => object): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    const made = (await api.must(201, 'POST', path, body())) as { data: { id: string } }
    ids.push(made.data.id)
  }
  return ids
}

/** No message waits or is under way, for two seconds: workers send messages of their own. */
export async function settled(seconds = 180): Promise<void> {
  let quiet = 0
  for (const end = Date.now() + seconds * 1000; quiet < 20; await sleep(100)) {
    const left = [...(await lags()).values()].reduce((sum, one) => sum + one, 0)
    quiet = left === 0 ? quiet + 1 : 0
    if (Date.now() > end) throw new Error(`after ${seconds} s ${left} messages are not settled`)
  }
}

/** How many pods each worker has, and how far behind its consumer is, ten times a second. */
class Watch implements Disposable {
  readonly #timer: NodeJS.Timeout
  readonly #seen = new Map<string, { most: number; lag: number }>()

  constructor({ pods }: Scene, workers: readonly string[]) {
    for (const slug of workers) this.#seen.set(slug, { most: 0, lag: 0 })
    this.#timer = setInterval(async () => {
      const lag = await lags().catch(() => new Map<string, number>())
      for (const [slug, seen] of this.#seen) {
        const ready = pods.of(slug).filter((pod) => pod.ready && !pod.leaving)
        seen.most = Math.max(seen.most, ready.length)
        seen.lag = Math.max(seen.lag, lag.get(slug) ?? 0)
      }
    }, 100)
  }

  most(slug: string): { readonly most: number; readonly lag: number } {
    return this.#seen.get(slug) ?? { most: 0, lag: 0 }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
