import type { Load, Plan } from './generator.ts'
import type { Options } from './options.ts'
import type { Child } from './process.ts'
import type { Say } from './result.ts'
import type { Stage } from './stage.ts'
import { mean, median, type Spread, spread } from './statistics.ts'

/** What loads are made against: the hello, which stays up for all of them, and the process that makes them. */
export interface Loads extends AsyncDisposable {
  compare(target: Target): Promise<Comparison>
}

export interface Target {
  /** For messages. */
  readonly what: string
  readonly process: Child
  /** What a round sends; the connections and seconds are everybody's. */
  readonly plan: (round: number) => Omit<Plan, 'connections' | 'seconds'>
  readonly before?: () => Promise<unknown>
}

export interface Comparison {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  /** Against the hellos of the rounds beside. */
  readonly ratio: Spread
  /** CPU time per request of the process, against the hello's. */
  readonly cpu: number
  /** MB at the end of its load, and the hello's. */
  readonly memory: number
  readonly helloMemory: number
  readonly requests: number
}

interface Round extends Load {
  readonly perSecond: number
  readonly cpuPerRequest: number
}

const connections = 16
/** An entry of the cache may run out within a round. */
const tolerated = 0.002

export async function openLoads(stage: Stage, { rounds, seconds }: Options, say: Say): Promise<Loads> {
  await using stack = new AsyncDisposableStack()
  const generator = stack.use(stage.script('scripts/bench/generator.ts'))
  const hello = stack.use(stage.hello())
  const [port] = await Promise.all([hello.ready, generator.ready])

  async function round(process: Child, plan: Omit<Plan, 'connections' | 'seconds'>): Promise<Round> {
    const cpu = process.cpu
    const load = await generate(generator, { ...plan, connections, seconds })
    const { requests, strange, example } = load
    if (requests === 0 || strange / requests > tolerated)
      throw new Error(`${strange} of ${requests} answers were not as expected: ${example}`)
    const perSecond = requests / load.seconds
    return { ...load, perSecond, cpuPerRequest: (process.cpu - cpu) / requests }
  }
  const plain = { port, request: { method: 'GET', path: '/' }, from: 0, status: 200 }

  const loads = stack.move()
  return {
    async compare({ what, process, plan, before }) {
      const one = async (n: number): Promise<Round> => {
        await before?.()
        return round(process, plan(n))
      }
      // Both compile what is hot before it counts.
      await round(hello, plain)
      await one(0)
      const hellos = [await round(hello, plain)]
      const own: Round[] = []
      for (let n = 1; n <= rounds; n++) {
        own.push(await one(n))
        hellos.push(await round(hello, plain))
        say(`${what}: round ${n} of ${rounds}, ${Math.round(own.at(-1)?.perSecond ?? 0)}/s`)
      }
      const beside = (i: number, of: (round: Round) => number): number =>
        mean(...hellos.slice(i, i + 2).map(of))
      const against = (of: (round: Round) => number): number[] => own.map((it, i) => of(it) / beside(i, of))
      return {
        perSecond: median(own.map((it) => it.perSecond)),
        p50: median(own.map((it) => it.p50)),
        p99: median(own.map((it) => it.p99)),
        ratio: spread(against((it) => it.perSecond)),
        cpu: median(against((it) => it.cpuPerRequest)),
        memory: process.memory,
        helloMemory: hello.memory,
        requests: own.reduce((sum, it) => sum + it.requests, 0),
      }
    },
    [Symbol.asyncDispose]: () => loads.disposeAsync(),
  }
}

function generate(generator: Child, plan: Plan): Promise<Load> {
  const { process: child } = generator
  const answer = new Promise<Load>((resolve, reject) => {
    child.once('message', ({ result, error }: { result?: Load; error?: string }) => {
      if (result) resolve(result)
      else reject(new Error(`the load broke off: ${error}`))
    })
  })
  child.send(plan)
  return Promise.race([answer, generator.failed])
}
