import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type DiscoveredFunction, discoverFunctions } from '../../../shared/spec/discover.ts'
import { lookupVariable } from '../../local/function-set.ts'
import { helloStart, type Sample } from '../cold.ts'
import type { Options } from '../options.ts'
import type { Say } from '../result.ts'
import { enrolAll, seed } from '../seed.ts'
import type { Stage } from '../stage.ts'
import { grpcSubject, httpSubject } from './answering.ts'
import { type Cost, rowOf } from './cost.ts'
import { endingSubject } from './ending.ts'
import { onlyReads, strangers } from './requests.ts'
import { roundsOfWarm, type Scene, type Subject } from './subject.ts'
import { workerSubject } from './worker.ts'

/** Of every student and course. */
const enrolments = 5
const cache = 15

/** Every function that is declared, from its bundle: its start, its memory, and what one call of it takes. */
export async function functionCosts(stage: Stage, options: Options, say: Say): Promise<Cost[]> {
  const functions = await discoverFunctions(stage.root)
  await using stack = new AsyncDisposableStack()
  const numbers = new Numbers(1 + options.starts + roundsOfWarm * options.calls)
  const froms = new Map(functions.map((found) => [found, numbers.of(found)]))
  const scene = await openScene(stage, stack, functions, numbers.last, say)
  const costs = new Map<DiscoveredFunction, Cost>()
  for (const found of endingFirst(functions)) {
    // What others asked lookups for is in the cache, and a first answer would be no miss.
    await scene.redis.flushdb()
    const cost = await measure(stage, subjectOf(scene, found), found, froms.get(found) ?? 1, options)
    costs.set(found, cost)
    say(`${rowOf(cost).what}: ${rowOf(cost).measured}`)
  }
  return functions.flatMap((found) => costs.get(found) ?? [])
}

/** Which students and courses each function is asked about, so that none meets what another has changed. */
class Numbers {
  readonly #each: number
  /** The next that is free, by service: what changes a student leaves the courses alone. */
  readonly #next = new Map<string, number>()

  constructor(calls: number) {
    this.#each = calls + strangers
  }

  /** The first of those that are its own; the very first are for all that only read. */
  of({ name: { service }, declaration: { trigger } }: DiscoveredFunction): number {
    if (onlyReads(trigger)) return 1
    const from = this.#next.get(service) ?? 1 + this.#each
    this.#next.set(service, from + this.#each)
    return from
  }

  /** So many that the last page of a list is full, too. */
  get last(): number {
    return Math.max(this.#each, ...this.#next.values()) + 100
  }
}

async function openScene(
  stage: Stage,
  stack: AsyncDisposableStack,
  functions: readonly DiscoveredFunction[],
  rows: number,
  say: Say,
): Promise<Scene> {
  say(`filling tables of ${rows} students and courses, each with ${enrolments} of the others`)
  const urls = await stage.database('costs', cache)
  stack.defer(() => stage.dropDatabase('costs'))
  const at = Date.now()
  await seed(urls.STUDENTS_URL, 'students', rows)
  await seed(urls.COURSES_URL, 'courses', rows)
  await enrolAll(urls.STUDENTS_URL, rows, enrolments)
  const redis = new Redis(urls.CACHE_URL)
  stack.defer(() => redis.disconnect())
  const env: Record<string, string> = { ...urls }
  for (const { name, declaration } of functions) {
    if (declaration.trigger.kind !== 'grpc') continue
    const lookup = stack.use(stage.spawn(name.full, { env: urls }))
    env[lookupVariable(name)] = `http://127.0.0.1:${await lookup.ready}`
  }
  return {
    spawn: (name, more) => stage.spawn(name, { ...more, env }),
    eventsUrl: urls.EVENTS_URL,
    redis,
    filled: { rows, at },
  }
}

/** A sweeper would find what the others leave. */
function endingFirst(functions: readonly DiscoveredFunction[]): DiscoveredFunction[] {
  const ends = ({ declaration: { trigger } }: DiscoveredFunction): boolean =>
    trigger.kind === 'cron' || trigger.kind === 'job'
  return [...functions.filter(ends), ...functions.filter((found) => !ends(found))]
}

function subjectOf(scene: Scene, { name, declaration: { trigger } }: DiscoveredFunction): Subject {
  switch (trigger.kind) {
    case 'http':
      return httpSubject(scene, name, trigger)
    case 'grpc':
      return grpcSubject(scene, name, trigger)
    case 'stream':
      return workerSubject(scene, name, trigger)
    case 'job':
    case 'cron':
      return endingSubject(scene, name, trigger)
    default:
      return trigger satisfies never
  }
}

async function measure(
  stage: Stage,
  subject: Subject,
  { name }: DiscoveredFunction,
  from: number,
  { starts, calls }: Options,
): Promise<Cost> {
  // Its good end writes the code cache, which an image has.
  await subject.start(from)
  if (!existsSync(join(stage.bundles, `${name.full}.cjs.cache`)))
    throw new Error(`${name.full} left no code cache`)
  const [own, hellos]: [Sample[], Sample[]] = [[], []]
  for (let n = 1; n <= starts; n++) {
    hellos.push(await helloStart(stage))
    own.push(await subject.start(from + n))
  }
  const warm = await subject.warm?.(from + starts + 1, calls)
  const { trigger, per } = subject
  return { name: name.full, trigger, per, starts: own, hellos, ...(warm && { warm }) }
}
