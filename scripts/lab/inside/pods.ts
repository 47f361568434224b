import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { namespace } from './kubectl.ts'

/** A function's pod as it was seen to come and go; times in milliseconds since the epoch. */
export interface SeenPod {
  readonly name: string
  /** The function's slug. */
  readonly slug: string
  readonly created: number
  ready?: number
  gone?: number
  /** Being deleted, and maybe still at work. */
  leaving?: boolean
  ip?: string
  /** Of the container `function`. */
  container?: string
  restarts: number
  /** How containers ended that did not end well: OOMKilled, Error. */
  readonly badEnds: Set<string>
}

interface PodObject {
  readonly metadata: {
    readonly uid: string
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly status: {
    readonly podIP?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

interface ContainerStatus {
  readonly name: string
  readonly containerID?: string
  readonly restartCount: number
  readonly state?: { readonly terminated?: Ended }
  readonly lastState?: { readonly terminated?: Ended }
}

interface Ended {
  readonly reason?: string
  readonly exitCode: number
}

/** Every pod of the functions that there was since the API server was asked to tell. */
export class Pods {
  readonly all = new Map<string, SeenPod>()
  #blind: string | undefined

  /** That nobody tells of pods any more, and why: what is known of them may be old from now on. */
  end(why: string): void {
    this.#blind ??= why
  }

  /** @throws Error where not all was told that there was to tell */
  checkWhole(): void {
    if (this.#blind !== undefined) throw new Error(`the watch of the pods has ended: ${this.#blind}`)
  }

  /** One event, as the API server writes it. */
  take(line: string, now = Date.now()): void {
    const { type, object }: { type: string; object: PodObject } = JSON.parse(line)
    const slug = object.metadata.labels?.['app.kubernetes.io/name']
    if (slug === undefined) return
    const { uid, name, deletionTimestamp } = object.metadata
    const pod = this.all.get(uid) ?? { name, slug, created: now, restarts: 0, badEnds: new Set<string>() }
    this.all.set(uid, pod)
    const { podIP, conditions = [], containerStatuses = [] } = object.status
    if (podIP) pod.ip = podIP
    if (conditions.some((one) => one.type === 'Ready' && one.status === 'True')) pod.ready ??= now
    for (const status of containerStatuses) {
      pod.restarts = Math.max(pod.restarts, status.restartCount)
      const [, id] = status.containerID?.split('://') ?? []
      if (status.name === 'function' && id) pod.container = id
      for (const ended of [status.state?.terminated, status.lastState?.terminated])
        if (ended && (ended.exitCode !== 0 || ended.reason === 'OOMKilled'))
          pod.badEnds.add(`${status.name}: ${ended.reason} (${ended.exitCode})`)
    }
    if (deletionTimestamp) pod.leaving = true
    if (type === 'DELETED') pod.gone ??= now
  }

  /** Those that there are, on their way out included. */
  of(...slugs: readonly string[]): SeenPod[] {
    return [...this.all.values()].filter((pod) => slugs.includes(pod.slug) && pod.gone === undefined)
  }

  /** Waits for something to be so of them. @throws Error with what there is instead, when it is not within these seconds */
  async until(what: string, isSo: () => boolean, seconds: number): Promise<void> {
    for (const end = Date.now() + seconds * 1000; !isSo(); await sleep(20)) {
      this.checkWhole()
      if (Date.now() > end) {
        const there = [...this.all.values()].filter(({ gone }) => gone === undefined)
        throw new Error(
          `after ${seconds} s it is not so that ${what}: ${there.map(({ name }) => name).join(', ')}`,
        )
      }
    }
  }

  async untilNone(slugs: readonly string[], seconds: number): Promise<void> {
    await this.until(`nothing runs of ${slugs.join(', ')}`, () => this.of(...slugs).length === 0, seconds)
  }
}

/** Has the API server tell of each pod as it knows of it: kubectl itself tells whole seconds only. */
export function watchPods(pods: Pods): Disposable {
  const path = `/api/v1/namespaces/${namespace}/pods?watch=1&timeoutSeconds=14400`
  const watch = spawn('kubectl', ['get', '--raw', path], { stdio: ['ignore', 'pipe', 'inherit'] })
  watch.on('error', ({ message }) => pods.end(message))
  watch.on('close', (code, signal) => pods.end(`kubectl ended with ${code ?? signal}`))
  createInterface({ input: watch.stdout }).on('line', (line) => pods.take(line))
  return { [Symbol.dispose]: () => void watch.kill() }
}
