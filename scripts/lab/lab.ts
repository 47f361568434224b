import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../local/refusal.ts'
import { done, type Ran, type RunOptions, ran } from './ran.ts'

export const root = join(import.meta.dirname, '../..')

/** ../shared/tools/cluster: a whole Kubernetes with Knative and KEDA on this machine. */
export const tool = join(root, '../shared/tools/cluster/cluster')

/** A lab that this process has started, and ends. */
export class Lab implements AsyncDisposable {
  readonly #signal: AbortSignal

  private constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /**
   * Starts an empty one: of types alone, or with pods.
   * @throws Refusal where there is none to be had here, or somebody else's is up.
   */
  static async start(verb: 'up' | 'up-dry', signal: AbortSignal): Promise<Lab> {
    checkMachine()
    const lab = new Lab(signal)
    try {
      await done(tool, [verb], { signal })
      return lab
    } catch (error) {
      // Why it did not come up is told, whatever becomes of what it has left.
      await lab[Symbol.asyncDispose]().catch(() => {})
      throw error
    }
  }

  kubectl(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return ran(tool, ['kubectl', ...args], { signal: this.#signal, ...options })
  }

  /** @throws Error where it fails. */
  get(...args: string[]): Promise<string> {
    return done(tool, ['kubectl', ...args], { signal: this.#signal })
  }

  /** Lets pods reach ports of this machine's loopback at the node's address, each as [node's, here]. */
  async host(...ports: (readonly [number, number])[]): Promise<void> {
    await done(tool, ['host', ...ports.map((pair) => pair.join(':'))], { signal: this.#signal })
  }

  /** Also what a start that failed or was interrupted has left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await done(tool, ['down'])
  }
}

/** @throws Refusal before anything is started. */
export function checkMachine(): void {
  if (!existsSync(tool)) throw new Refusal(`There is no ${tool}.`)
  if (process.getuid?.() !== 0)
    throw new Refusal('The lab makes network namespaces and mounts: run this as root.')
  // Of another run, which would be ended with ours.
  if (existsSync('/run/netns/lab')) throw new Refusal(`A lab is up already: ${tool} down ends it.`)
}

/** Of `cluster env`. */
export function labDirectory(): string {
  const { stdout } = spawnSync(tool, ['env'], { encoding: 'utf8' })
  const directory = /^export CLUSTER_DIR=(.+)$/m.exec(stdout)?.[1]
  if (!directory) throw new Refusal(`${tool} env does not tell CLUSTER_DIR.`)
  return directory
}
