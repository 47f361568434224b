import {
  type Confinement,
  confinementOf,
  isConfined,
  type Memory,
  memoryOf,
  processesOf,
} from './container.ts'
import type { Pods, SeenPod } from './pods.ts'

/** What was seen of a function's containers from outside of them. */
export interface Observed {
  pods: number
  /** Most that one had, in bytes. */
  peak: number
  limit: number
  /** How often a limit was reached. */
  reached: number
  /** Of the first pod; of one that may more than it should, where there was any. */
  confinement?: Confinement
}

/** Looks at every container every quarter of a second, for as long as it is not disposed of. */
export class Observer implements AsyncDisposable {
  readonly bySlug = new Map<string, Observed>()
  readonly #pods: Pods
  readonly #looked = new Set<SeenPod>()
  readonly #looking: Promise<void>
  #ended = false

  constructor(pods: Pods) {
    this.#pods = pods
    this.#looking = this.#look()
  }

  async #look(): Promise<void> {
    while (!this.#ended) {
      const there = [...this.#pods.all.values()].filter(({ gone, container }) => !gone && container)
      for (const pod of there) await this.#lookAt(pod)
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }

  async #lookAt(pod: SeenPod): Promise<void> {
    const { container = '' } = pod
    const memory = await memoryOf(container)
    if (!memory) return
    const wasReady = pod.ready !== undefined
    const [pid] = this.#looked.has(pod) ? [] : await processesOf(container)
    this.take(pod, memory, pid === undefined ? undefined : await confinementOf(pid), wasReady)
  }

  /** What was found of a pod's container. @param wasReady whether the pod was, before this was looked at */
  take(pod: SeenPod, memory: Memory, confinement: Confinement | undefined, wasReady: boolean): void {
    const { slug } = pod
    const seen = this.bySlug.get(slug) ?? { pods: 0, peak: 0, limit: memory.limit, reached: 0 }
    this.bySlug.set(slug, seen)
    seen.peak = Math.max(seen.peak, memory.own)
    seen.limit = memory.limit
    seen.reached = Math.max(seen.reached, memory.reached)
    if (!confinement || this.#looked.has(pod)) return
    // Until then it may be the runtime's own process still, which gives up one right after the other.
    if (!isConfined(confinement) && !wasReady) return
    this.#looked.add(pod)
    seen.pods++
    if (!seen.confinement || isConfined(seen.confinement)) seen.confinement = confinement
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    await this.#looking
  }
}
