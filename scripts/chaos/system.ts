import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { Counts } from './counts.ts'
import { type FunctionPid, functionsOf } from './processes.ts'
import type { Servers, Urls } from './servers/servers.ts'

const run = promisify(execFile)

export interface SystemOptions {
  /** A tree of its own: an edit of the sources meanwhile changes nothing in it. */
  readonly root: string
  readonly dir: string
  readonly servers: Servers
}

/** The system as `npm start` runs it, in a process of its own, on engines that can be broken. */
export class System implements AsyncDisposable {
  readonly apiKey: string
  /** Where the functions find how wrong their clocks are. */
  readonly clockFile: string
  /** What its functions said they did. */
  readonly counts = new Counts()
  readonly log: string
  readonly #options: SystemOptions
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #url = ''

  private constructor(options: SystemOptions) {
    const { root, dir, servers } = options
    this.#options = options
    this.apiKey = randomBytes(16).toString('hex')
    this.clockFile = join(dir, 'clock.json')
    this.log = join(dir, 'system.log')
    const { PATH = '', HOME = '/root', TMPDIR } = process.env
    this.#child = spawn(process.execPath, ['scripts/start.ts'], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH,
        HOME,
        ...(TMPDIR ? { TMPDIR } : {}),
        ...servers.urls,
        PORT: '0',
        API_KEY: this.apiKey,
        DATA_DIR: join(dir, 'data'),
        IDLE_SECONDS: '5',
        OWNER_PIDS: String(process.pid),
        NODE_OPTIONS: `--require=${join(root, 'scripts/chaos/preload.cjs')}`,
        NODE_CHAOS_DIR: dir,
      },
    })
    this.#exited = new Promise((resolve) => this.#child.once('close', () => resolve()))
  }

  static async start(options: SystemOptions): Promise<System> {
    await mkdir(options.dir, { recursive: true })
    const system = new System(options)
    try {
      await system.#ready()
    } catch (error) {
      await system[Symbol.asyncDispose]()
      throw error
    }
    return system
  }

  get url(): string {
    return this.#url
  }

  /** Those that run now. */
  get functions(): FunctionPid[] {
    return functionsOf(this.#child.pid ?? 0)
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** What an operator does after JetStream's store was lost. */
  async initialize(): Promise<void> {
    await this.#operator('shared/hosts/main.ts', 'platform/initialize')
  }

  /** Runs both sweepers by hand, as the runbook says, where nobody wants to wait for the next minute. */
  async sweep(): Promise<void> {
    for (const side of ['students', 'courses']) await this.#operator('shared/hosts/main.ts', `${side}/sweep`)
  }

  /** Compares both sides, and tells again what was lost; rejects while they differ. */
  async reconcile(): Promise<void> {
    await this.#operator('scripts/operate/reconcile.ts', '--repair')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGINT')
    await this.#exited
  }

  async #operator(...args: string[]): Promise<void> {
    const { root, servers } = this.#options
    const { PATH = '', HOME = '/root' } = process.env
    const urls: Urls = servers.directUrls
    await run(process.execPath, args, { cwd: root, env: { PATH, HOME, ...urls }, timeout: 120_000 })
  }

  async #ready(): Promise<void> {
    const file = createWriteStream(this.log, { mode: 0o600 })
    this.#child.once('close', () => file.end())
    let said = ''
    await new Promise<void>((resolve, reject) => {
      const take = (line: string): void => {
        // Its own words to people: the key among them.
        if (line.startsWith('{')) {
          file.write(`${line}\n`)
          this.counts.take(line)
        }
        this.#url ||= /^ready (\S+)$/.exec(line)?.[1]?.replace('localhost', '127.0.0.1') ?? ''
        if (this.#url) resolve()
        else said = `${said}${line}\n`.slice(-2000)
      }
      for (const stream of [this.#child.stdout, this.#child.stderr])
        if (stream) createInterface({ input: stream }).on('line', take)
      this.#exited.then(() => reject(new Error(`the system did not start: ${said}`)))
    })
  }
}
