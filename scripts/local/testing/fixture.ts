import { type ChildProcess, spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../process-table.ts'
import { functions, kong } from './fake-set.ts'

const repository = join(import.meta.dirname, '../../..')

export const key = 'a-key-of-the-tests'

/** A copy of the tree with the small function set, in a folder of its own. */
export class Tree implements Disposable {
  readonly root: string
  readonly dataDir: string
  readonly journal: string

  constructor(base = tmpdir()) {
    this.root = mkdtempSync(join(base, 'registrar-tree-'))
    this.dataDir = join(this.root, '.registrar')
    this.journal = join(this.root, 'journal')
    const skipped = ['node_modules', 'testing']
    const filter = (path: string): boolean => !skipped.includes(basename(path)) && !path.endsWith('.test.ts')
    for (const folder of ['scripts', 'shared'])
      cpSync(join(repository, folder), join(this.root, folder), { recursive: true, filter })
    cpSync(join(repository, 'package.json'), join(this.root, 'package.json'))
    for (const folder of ['.', 'scripts/engines']) {
      symlinkSync(join(repository, folder, 'node_modules'), join(this.root, folder, 'node_modules'))
    }
    cpSync(join(import.meta.dirname, 'fake-main.ts'), join(this.root, 'shared/hosts/main.ts'))
    cpSync(join(import.meta.dirname, 'fake-launch.ts'), join(this.root, 'scripts/local/launch.ts'))
    for (const [name, declaration] of Object.entries(functions))
      this.write(`functions/${name}/function.ts`, `export default ${declaration}\n`)
    this.write('kong/kong.yml', kong)
    writeFileSync(this.journal, '')
  }

  write(path: string, content: string): void {
    const file = join(this.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }

  /** What the functions said of themselves. */
  events(word: string): string[] {
    return readFileSync(this.journal, 'utf8')
      .split('\n')
      .filter((line) => line.includes(word))
  }

  /** Until it is let go, functions wait: one in its start for its own slug, a request for the name in its x-hold. */
  hold(name: string): { letGo(): void } {
    const gate = `${this.journal}.${name}`
    writeFileSync(gate, '')
    return { letGo: () => rmSync(gate) }
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/** Where a run lies, and its functions tell of themselves. */
type Folders = Pick<Tree, 'root' | 'dataDir' | 'journal'>

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** Through `npm start`, as people do. */
  readonly npm?: boolean
}

/** A start of the local run as a process of its own. */
export class Started implements AsyncDisposable {
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
  readonly #tree: Folders
  stdout = ''
  stderr = ''

  constructor(tree: Folders, { env = {}, args = [], npm = false }: StartOptions = {}) {
    const { PATH = '', HOME = '/root', TMPDIR } = process.env
    const [command, own] = npm ? ['npm', ['start', '--']] : [process.execPath, ['scripts/start.ts']]
    this.#tree = tree
    this.child = spawn(command, [...own, ...args], {
      cwd: tree.root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH,
        HOME,
        ...(TMPDIR ? { TMPDIR } : {}),
        PORT: '0',
        API_KEY: key,
        NODE_TEST_JOURNAL: tree.journal,
        // A run must not outlive the tests, nor a worker of theirs that is left without them.
        OWNER_PIDS: `${process.pid},${process.ppid}`,
        IDLE_SECONDS: '30',
        ...env,
      },
    })
    this.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stdout += chunk
    })
    this.child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk
    })
    this.exited = new Promise((resolve) => this.child.once('close', resolve))
  }

  async ready(): Promise<this> {
    let ended = false
    this.exited.then(() => {
      ended = true
    })
    // Its last words come in one piece or in several.
    await until('the run is ready', () => ended || /^try: .*\n/m.test(this.stdout), 100_000)
    if (ended) throw new Error(`the run ended: ${this.stdout}${this.stderr}`)
    return this
  }

  get url(): string {
    return /^ready (\S+)$/m.exec(this.stdout)?.[1] ?? ''
  }

  get runner(): number {
    return JSON.parse(readFileSync(join(this.#tree.dataDir, 'run.json'), 'utf8')).pid
  }

  /** Everything of this tree that runs. */
  get processes(): number[] {
    return processesOf(this.#tree.root)
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { ...init, headers: { 'x-api-key': key, ...init.headers } })
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    this.child.kill(signal)
    return this.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await until('nothing is left', () => this.processes.length === 0)
  }
}

/** Pids of all that runs from a folder, works in it or writes into it. */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      const texts = ['cmdline', 'environ'].map((file) =>
        quietly(() => readFileSync(`/proc/${pid}/${file}`, 'latin1')),
      )
      const links = ['cwd', 'fd/1', 'fd/2'].map((file) => quietly(() => readlinkSync(`/proc/${pid}/${file}`)))
      return [...texts, ...links].some((text) => text.includes(folder))
    })
    .map(Number)
    .filter((pid) => isAlive(pid))
}

/** Kills what may have ended by itself meanwhile. @throws Error where none was found: 0 would be the group of the tests */
export function kill(pid: number | undefined): void {
  if (!pid) throw new Error('there is no process to kill')
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function quietly(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  ms = 90_000,
): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(25)) if (await condition()) return
  throw new Error(`it did not come true that ${what}`)
}

/** The URLs that a run wrote down: its four servers, and those of the lookups. */
export const urlsOf = (tree: Tree): Record<string, string> =>
  JSON.parse(readFileSync(join(tree.dataDir, 'run.json'), 'utf8')).urls

/** The four servers of a run. */
export const serversOf = (tree: Tree): Record<string, string> =>
  Object.fromEntries(Object.entries(urlsOf(tree)).filter(([name]) => !name.startsWith('STUDENTS_BY')))

export const nothingLeft = (tree: Tree): Promise<void> =>
  until('nothing is left', () => processesOf(tree.root).length === 0)
