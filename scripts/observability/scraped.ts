import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, launch, onFreePort, type RunningEngine } from '../engines/engine.ts'
import { onPath } from '../engines/find.ts'

/** What starts a server that must not outlive its test. */
export interface Around {
  readonly dir: string
  readonly onSpawn: (child: ChildProcess, stop: NodeJS.Signals) => void
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [seconds: number, value: string]
}

/** A real Prometheus on loopback. */
export class Prometheus implements AsyncDisposable {
  readonly #engine: RunningEngine

  private constructor(engine: RunningEngine) {
    this.#engine = engine
  }

  /** @param files by their paths below its folder; `prometheus.yml` is read first. */
  static async start(
    { dir, onSpawn }: Around,
    files: Readonly<Record<string, string>>,
    {
      command = onPath('prometheus') ?? 'prometheus',
      flags = [],
    }: { command?: string; flags?: readonly string[] } = {},
  ): Promise<Prometheus> {
    for (const [path, content] of Object.entries(files)) {
      const file = join(dir, path)
      mkdirSync(join(file, '..'), { recursive: true })
      writeFileSync(file, content)
    }
    const engine = await onFreePort(undefined, (port) =>
      launch({
        name: 'prometheus',
        command,
        args: [
          `--config.file=${join(dir, 'prometheus.yml')}`,
          `--storage.tsdb.path=${join(dir, 'data')}`,
          `--web.listen-address=127.0.0.1:${port}`,
          // As prometheus.yaml and compose.yaml have it.
          '--enable-feature=exemplar-storage',
          ...flags,
        ],
        options: { dir, password: '', onSpawn },
        stop: 'SIGTERM',
        port,
        url: (at) => `http://127.0.0.1:${at}`,
        ready: (log) => log.includes('Server is ready to receive web requests'),
      }),
    )
    return new Prometheus(engine)
  }

  get url(): string {
    return this.#engine.url
  }

  /** An instant query. @throws Error with what Prometheus says of a wrong one. */
  async query(expr: string): Promise<Sample[]> {
    const { result } = await this.#get<{ result: Sample[] }>(`query?query=${encodeURIComponent(expr)}`)
    return result
  }

  /** Those of the last ten minutes, of all counters that a query looks at. */
  async exemplars(expr: string): Promise<{ labels: { trace_id: string }; value: string }[]> {
    const now = Date.now() / 1000
    const found = await this.#get<{ exemplars: { labels: { trace_id: string }; value: string }[] }[]>(
      `query_exemplars?query=${encodeURIComponent(expr)}&start=${now - 600}&end=${now}`,
    )
    return found.flatMap(({ exemplars }) => exemplars)
  }

  /** Names of the alerts that fire or are about to. */
  async alerts(): Promise<{ alertname: string; state: string }[]> {
    const { alerts } = await this.#get<{ alerts: { labels: { alertname: string }; state: string }[] }>(
      'alerts',
    )
    return alerts.map(({ labels, state }) => ({ alertname: labels.alertname, state }))
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}`)
    const answer: { status: string; error?: string; data: T } = JSON.parse(await response.text())
    if (answer.status !== 'success') throw new Error(`${answer.error}: ${decodeURIComponent(path)}`)
    return answer.data
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]()
  }
}

/** An exporter of Debian's, on loopback; its address. */
export async function startExporter(
  { dir, onSpawn }: Around,
  command: string,
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<RunningEngine> {
  return onFreePort(undefined, (port) =>
    launch({
      name: command,
      command: onPath(command) ?? command,
      args: [`--web.listen-address=127.0.0.1:${port}`, ...flags],
      options: { dir, password: '', env, onSpawn },
      stop: 'SIGTERM',
      port,
      url: (at) => `127.0.0.1:${at}`,
      ready: async () =>
        (await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined))?.ok === true,
    }),
  )
}

/** How promtool ended, its answer, and that with its log, whose lines come at any time: for who reads a failure. */
export async function promtool(
  ...args: readonly string[]
): Promise<{ code: number | null; answer: string; said: string }> {
  const child = spawn(onPath('promtool') ?? 'promtool', [...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let answer = ''
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk
    said += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  return { code, answer, said }
}

/** Why the tests that need Debian's packages cannot run here, or nothing; CI has to have them. */
export function missing(...commands: readonly string[]): string | undefined {
  const absent = commands.filter((command) => !onPath(command))
  return absent.length === 0
    ? undefined
    : `${absent.join(', ')} not installed (apt-get install prometheus ...)`
}

export { freePort }
