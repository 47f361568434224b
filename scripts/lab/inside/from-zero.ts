import { setTimeout as sleep } from 'node:timers/promises'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { ask, askByGrpc } from './ask.ts'
import { bornAt, processesOf } from './container.ts'
import type { SeenPod } from './pods.ts'
import { type Scene, slugsOf } from './scene.ts'

/** One start from nothing, in milliseconds since the request was sent. */
export interface Start {
  readonly slug: string
  /** The pod is there, as an object. */
  readonly pod: number
  /** Its process has begun. */
  readonly process: number
  /** The process serves, by its own count. */
  readonly serves: number
  /** The client has its answer. */
  readonly answer: number
  /** Seconds from its last answer until the last pod was gone. */
  gone?: number
}

/** Each function that answers, from no pod to its first answer, and back. */
export async function fromZero(scene: Scene): Promise<Start[]> {
  const { checks, functions, pods } = scene
  const slugs = slugsOf(scene, 'http', 'grpc')
  const starts: Start[] = []
  await checks.check('everything is at zero after a while without requests', async () => {
    await pods.untilNone([...slugs, ...slugsOf(scene, 'stream')], 180)
    return undefined
  })
  const asked: Promise<void>[] = []
  for (const found of functions.filter(({ name }) => slugs.includes(name.slug))) {
    const { slug } = found.name
    await checks.check(`${slug} 0 -> 1`, async () => {
      // A function before it may have asked a lookup.
      await pods.untilNone([slug], 120)
      const start = await startOf(scene, found)
      starts.push(start)
      const back = untilGone(scene, start)
      back.catch(() => {})
      asked.push(back)
      return `pod ${start.pod} ms, process ${start.process} ms, serves ${start.serves} ms, answer ${start.answer} ms`
    })
  }
  await checks.check('and each 1 -> 0', async () => {
    await Promise.all(asked)
    return `${Math.max(...starts.map(({ gone = 0 }) => gone)).toFixed(0)} s at most after its last answer`
  })
  return starts
}

/** From the answer that it has just given. */
async function untilGone({ pods }: Scene, start: Start): Promise<void> {
  const answered = Date.now()
  await pods.untilNone([start.slug], 240)
  start.gone = (Date.now() - answered) / 1000
}

async function startOf(scene: Scene, found: DiscoveredFunction): Promise<Start> {
  const { slug } = found.name
  const sent = Date.now()
  const { status, said } = await (found.declaration.trigger.kind === 'grpc'
    ? askByGrpc(found)
    : ask(scene, found))
  const answered = Date.now()
  const [pod, ...more] = scene.pods.of(slug)
  if (!pod) throw new Error(`it was answered ${said}, and there is no pod`)
  if (more.length > 0) throw new Error(`it took ${more.length + 1} pods to answer one request`)
  if (status >= 500) throw new Error(`it was answered ${said}`)
  const born = await processOf(pod)
  return {
    slug,
    pod: pod.created - sent,
    process: Math.round(born - sent),
    serves: Math.round(born - sent + (await coldStartOf(pod))),
    answer: answered - sent,
  }
}

async function processOf({ container = '', name }: SeenPod): Promise<number> {
  const [pid] = await processesOf(container)
  const born = pid === undefined ? undefined : await bornAt(pid)
  if (born === undefined) throw new Error(`the process of ${name} is not to be found`)
  return born
}

/** By its own metric, in milliseconds, read at the pod itself. */
async function coldStartOf({ ip, name }: SeenPod): Promise<number> {
  for (let tries = 0; tries < 20; tries++) {
    const metrics = await (await fetch(`http://${ip}:8080/metrics`)).text()
    const seconds = /^registrar_cold_start_duration_seconds_sum\{.*\} (\S+)$/m.exec(metrics)?.[1]
    if (seconds !== undefined) return Number(seconds) * 1000
    await sleep(100)
  }
  throw new Error(`${name} does not tell how long it took to start`)
}
