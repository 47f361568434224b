import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'
import { bundleFunctions } from '../../build/bundle.ts'
import { freePort } from '../../engines/engine.ts'
import { Guardian } from '../../local/guardian.ts'
import { type ImageConfig, readDockerfile } from '../dockerfile.ts'
import { imagesOf, layContexts } from '../folder.ts'
import { layOut } from '../layout.ts'
import { events, eventsSlug, onCall, onCallSlug } from '../name.ts'

const root = join(import.meta.dirname, '../../..')

export type Env = Readonly<Record<string, string | undefined>>

export interface Ended {
  readonly code: number | null
  readonly out: string
}

/** A server that runs as its image would. */
export interface Container extends AsyncDisposable {
  readonly port: number
  /** Asks it to end, and waits. */
  stop(): Promise<Ended>
}

interface Build {
  readonly slug: string
  readonly args: Readonly<Record<string, string>>
}

interface Image {
  readonly dir: string
  readonly config: ImageConfig
}

/**
 * Every image of the tree as a root file system that nobody may write, and processes as their containers would be: the
 * Dockerfile's command, user and folder, and no environment but what is given. What a container has beyond that, a root of
 * its own, these have not: paths of the image lie below its folder.
 */
export class Containers implements AsyncDisposable {
  readonly dir: string
  readonly functions: readonly DiscoveredFunction[]
  readonly #images: ReadonlyMap<string, Image>
  readonly #stack: AsyncDisposableStack
  readonly #guardian: Guardian

  private constructor(
    { dir, functions }: Pick<Containers, 'dir' | 'functions'>,
    images: ReadonlyMap<string, Image>,
    guardian: Guardian,
    stack: AsyncDisposableStack,
  ) {
    this.dir = dir
    this.functions = functions
    this.#images = images
    this.#guardian = guardian
    this.#stack = stack
  }

  static async open(): Promise<Containers> {
    await using stack = new AsyncDisposableStack()
    // Beside the folder of this test run, which no other user may enter; of one that was killed the next run removes it.
    const dir = await mkdtemp(join(dirname(tmpdir()), `registrar-test-${process.pid}-images-`))
    stack.defer(() => rm(dir, { recursive: true, force: true }))
    await chmod(dir, 0o755)
    const bundles = join(dir, 'dist')
    await bundleFunctions(root, bundles)
    const functions = await layContexts(root, bundles)
    const images = new Map<string, Image>()
    const dockerfile = await readDockerfile()
    const builds = functions.flatMap(({ name: { slug }, declaration: { trigger } }): Build[] => {
      const plain = { slug, args: { FUNCTION: slug } }
      const called = { slug: onCallSlug(slug), args: { FUNCTION: slug, ...onCall } }
      return trigger.kind === 'job' || trigger.kind === 'cron' ? [plain, called] : [plain]
    })
    builds.push({ slug: eventsSlug, args: events })
    // Most of a build is waiting for servers that are not there.
    await inTurns(builds, 4, async ({ slug, args }) => {
      const image = { dir: join(dir, slug), config: dockerfile.config(new Map(Object.entries(args))) }
      await layOut({ context: imagesOf(bundles), args, dir: image.dir, base: false })
      await closeToAll(image.dir)
      images.set(slug, image)
    })
    const guardian = stack.use(new Guardian())
    return new Containers({ dir, functions }, images, guardian, stack.move())
  }

  /** Where the root of an image lies. */
  rootOf(slug: string): string {
    return this.#image(slug).dir
  }

  /** Runs one to its end. */
  async run(slug: string, env: Env, ...args: string[]): Promise<Ended> {
    return this.#spawn(slug, env, args).ended
  }

  /** Starts one that serves, on loopback. */
  async start(slug: string, env: Env, ...args: string[]): Promise<Container> {
    const port = await freePort()
    const { child, ended } = this.#spawn(slug, { HOST: '127.0.0.1', PORT: `${port}`, ...env }, args)
    const stop = async (): Promise<Ended> => {
      child.kill('SIGTERM')
      return ended
    }
    const gone = ended.then(({ code, out }) => {
      throw new Error(`${slug} ended (${code}): ${out.slice(-2000)}`)
    })
    gone.catch(() => {})
    // Under the framework every path is the function's.
    await Promise.race([untilReady(port, slug === eventsSlug ? '/' : '/_/ready'), gone])
    return { port, stop, [Symbol.asyncDispose]: async () => void (await stop()) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  #image(slug: string): Image {
    const found = this.#images.get(slug)
    if (!found) throw new Error(`there is no image ${slug}`)
    return found
  }

  #spawn(slug: string, env: Env, args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
    const { dir, config } = this.#image(slug)
    const [, ...command] = config.Entrypoint
    const mapped = command.map((one) => (one.startsWith('/') ? join(dir, one) : one))
    const [uid, gid] = config.User.split(':').map(Number)
    const user = process.getuid?.() === 0 && uid !== undefined && gid !== undefined ? { uid, gid } : {}
    const child = spawn(process.execPath, [...mapped, ...args], {
      cwd: join(dir, config.WorkingDir),
      env: { ...env, ...this.#guardian.mark },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...user,
    })
    this.#guardian.watch(child)
    const chunks: Buffer[] = []
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
    const ended = once(child, 'close').then(([code]: (number | null)[]) => ({
      code: code ?? null,
      out: Buffer.concat(chunks).toString(),
    }))
    return { child, ended }
  }
}

async function inTurns<T>(all: readonly T[], most: number, work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all]
  const turn = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one)
  }
  await Promise.all(Array.from({ length: most }, turn))
}

/** As a root that is mounted to be read only, as far as modes can say that. */
async function closeToAll(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o555 : 0o444)
}

async function untilReady(port: number, path: string): Promise<void> {
  for (const end = Date.now() + 20_000; ; await sleep(20)) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
    if (response && response.status < 500) return
    if (Date.now() > end) throw new Error(`nobody is ready at port ${port}`)
  }
}
