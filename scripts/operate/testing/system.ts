import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { JetStreamManager } from 'nats'
import postgres from 'postgres'
import { expect } from 'vitest'
import { NatsClient } from '../../../shared/adapters/nats-client.ts'
import consumers from '../../../shared/generated/consumers.json' with { type: 'json' }
import { kill, Started, until } from '../../local/testing/fixture.ts'
import { WholeTree } from '../../local/testing/whole-tree.ts'
import { type Backup, mongoBackup, postgresBackup } from './backup.ts'

export interface Ended {
  /** -1 of one that did not end by itself. */
  readonly code: number
  readonly out: string
  readonly err: string
  /** With `--json`: a line each. */
  readonly objects: readonly Record<string, unknown>[]
}

/** For a command that hangs, in ms; `reconcile` alone waits for 90 s. */
const timeout = 170_000

/** Runs one of the commands as operators do, in a tree and with these variables alone; `hear` is told what it says aside. */
export function command(
  root: string,
  env: NodeJS.ProcessEnv,
  [name, ...args]: readonly string[],
  hear: (err: string) => void = () => {},
): Promise<Ended> {
  const { PATH } = process.env
  const argv = [join(root, 'scripts/operate', `${name}.ts`), ...args]
  return new Promise((resolve) => {
    const child = execFile(process.execPath, argv, { env: { PATH, ...env }, timeout }, (error, out, err) => {
      const lines = args.includes('--json') ? out.split('\n').filter((line) => line !== '') : []
      const objects = lines.map((line) => JSON.parse(line))
      const code = error ? (typeof error.code === 'number' ? error.code : -1) : 0
      resolve({ code, out, err, objects })
    })
    child.stderr?.on('data', hear)
  })
}

export interface Linked {
  readonly id: string
  readonly course_ids?: readonly string[]
  readonly student_ids?: readonly string[]
}

type Urls = Readonly<Record<'STUDENTS_URL' | 'COURSES_URL' | 'CACHE_URL' | 'EVENTS_URL', string>>

type Consumer = `${'students' | 'courses'}-${'fan-out' | 'enrol'}`

let counter = 0

/** The whole system as `npm start` runs it, from a tree of its own, and what operators do to it. */
export class System implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack
  readonly tree: WholeTree
  readonly sql: postgres.Sql
  readonly urls: Urls
  readonly #run: Started

  private constructor(stack: AsyncDisposableStack, tree: WholeTree, run: Started) {
    this.#stack = stack
    this.tree = tree
    this.#run = run
    this.urls = JSON.parse(readFileSync(join(tree.dataDir, 'run.json'), 'utf8')).urls
    const sql = postgres(this.urls.STUDENTS_URL, { max: 2, onnotice: () => {} })
    stack.defer(() => sql.end())
    this.sql = sql
  }

  /** Courses lie in the embedded Postgres, or where the URL says. */
  static async start(coursesUrl?: string): Promise<System> {
    await using opening = new AsyncDisposableStack()
    const tree = opening.use(new WholeTree())
    const env = coursesUrl === undefined ? {} : { COURSES_URL: coursesUrl }
    const run = opening.use(await new Started(tree, { env: { IDLE_SECONDS: '5', ...env } }).ready())
    return new System(opening.move(), tree, run)
  }

  /** Without any configuration, beside the run: it finds its servers. */
  command(name: string, ...args: string[]): Promise<Ended> {
    return this.commandOn({}, name, ...args)
  }

  /** On the servers of these variables. */
  commandOn(env: NodeJS.ProcessEnv, name: string, ...args: string[]): Promise<Ended> {
    return command(this.tree.root, env, [name, ...args])
  }

  /** The same without the wait for its end, but for its saying that it waits itself. */
  async waitingCommand(name: string, ...args: string[]): Promise<{ readonly ended: Promise<Ended> }> {
    let said = ''
    const ended = command(this.tree.root, {}, [name, ...args], (err) => {
      said += err
    })
    await until('it waits', () => said.includes('waiting for'))
    return { ended }
  }

  async send(method: string, path: string, body?: unknown, own: HeadersInit = {}): Promise<Linked> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const response = await this.#run.fetch(`/api/${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': type, ...own }, body: JSON.stringify(body) }),
    })
    const text = await response.text()
    expect(response.status, `${method} ${path}: ${text}`).toBeLessThan(300)
    return text === '' ? { id: '' } : JSON.parse(text).data
  }

  student(courseIds: readonly string[] = []): Promise<Linked> {
    const names = { name: `Name ${++counter}`, first_name: 'Ada', last_name: 'Lovelace' }
    return this.send('POST', 'students', { ...names, course_ids: courseIds })
  }

  course(studentIds: readonly string[] = []): Promise<Linked> {
    const fields = {
      name: `Course ${++counter}`,
      discipline: 'Maths',
      teacher: 'Babbage',
      description: 'Engines',
    }
    return this.send('POST', 'courses', { ...fields, student_ids: studentIds })
  }

  /** Every enrolment as each side shows it to its clients. */
  async shown(): Promise<{ students: string[]; courses: string[] }> {
    const students = await this.#all('students')
    const courses = await this.#all('courses')
    return {
      students: students.flatMap(({ id, course_ids = [] }) => course_ids.map((c) => `${id} ${c}`)).toSorted(),
      courses: courses.flatMap(({ id, student_ids = [] }) => student_ids.map((s) => `${s} ${id}`)).toSorted(),
    }
  }

  async #all(what: string): Promise<Linked[]> {
    const found: Linked[] = []
    for (let path = `/api/${what}?limit=100`; ; ) {
      const answer = await (await this.#run.fetch(path)).json()
      const { data, next_cursor } = answer as { data: Linked[]; next_cursor?: string | null }
      found.push(...data)
      if (!next_cursor) return found
      path = `/api/${what}?limit=100&cursor=${encodeURIComponent(next_cursor)}`
    }
  }

  /** Nothing is under way any more, says an operator's own command. */
  async settled(): Promise<void> {
    const { code, out, err } = await this.command('reconcile', '--check')
    expect([code, out + err]).toEqual([0, expect.stringMatching(/^equal: /)])
  }

  /** Holds what these workers would take, until `resume`. */
  async pause(...names: Consumer[]): Promise<void> {
    const until = new Date(Date.now() + 3_600_000)
    await this.#each(names, (manager, stream, name) => manager.consumers.pause(stream, name, until))
  }

  async resume(...names: Consumer[]): Promise<void> {
    await this.#each(names, (manager, stream, name) => manager.consumers.resume(stream, name))
  }

  async #each(
    names: readonly string[],
    work: (manager: JetStreamManager, stream: string, name: string) => Promise<unknown>,
  ): Promise<void> {
    const some = consumers.filter(({ consumer }) => names.includes(consumer))
    await this.broker(async (manager) => {
      for (const { stream, consumer } of some) await work(manager, stream, consumer)
    })
  }

  async broker<T>(work: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    await using client = new NatsClient({ url: this.urls.EVENTS_URL, name: 'test' })
    return await work(await (await client.jetstream()).jetstreamManager())
  }

  /** What was told lies in the streams of the other side, and nowhere else. */
  async untilHeld(held: Readonly<Record<string, number>>): Promise<void> {
    await until(`these wait: ${JSON.stringify(held)}`, () =>
      this.broker(async (manager) => {
        for (const { stream } of consumers) {
          const { messages } = (await manager.streams.info(stream)).state
          if (messages !== (held[stream] ?? 0)) return false
        }
        return true
      }),
    )
  }

  /** NATS is killed, and comes back without anything that it kept; the run makes its streams anew. */
  async wipeNats(): Promise<void> {
    const store = join(this.tree.dataDir, 'nats/store')
    const pid = this.#run.processes.find((one) =>
      readFileSync(`/proc/${one}/cmdline`, 'utf8').includes('nats.conf'),
    )
    // Moved first: it is started again at once.
    await rename(store, `${store}.lost`)
    kill(pid)
    await until(
      'the streams are there again',
      async () => (await this.command('initialize', '--check')).code === 0,
    )
  }

  /** Copies one side's database as it is now. */
  backup(side: 'students' | 'courses'): Promise<Backup> {
    return side === 'courses' && this.urls.COURSES_URL.startsWith('mongodb')
      ? mongoBackup(this.urls.COURSES_URL)
      : postgresBackup(this.sql, side)
  }

  async flushCache(): Promise<void> {
    const redis = new Redis(this.urls.CACHE_URL)
    await redis.flushall()
    await redis.quit()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

/** Made ten at a time. */
export async function inTens<T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  while (made.length < count)
    made.push(...(await Promise.all(Array.from({ length: 10 }, (_, i) => work(made.length + i)))))
  return made
}
