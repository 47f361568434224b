import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Guardian } from '../../local/guardian.ts'
import { root } from '../lab.ts'
import { done, type Ran, ran } from '../ran.ts'

export interface BuilderOptions {
  readonly buildx: string
  readonly buildkitd: string
  readonly signal: AbortSignal
}

/** BuildKit, and `docker buildx` before it; all that they keep lies below one folder. */
export class Builder implements AsyncDisposable {
  readonly dir: string
  readonly #buildx: string
  readonly #signal: AbortSignal
  readonly #stack: AsyncDisposableStack

  private constructor(dir: string, { buildx, signal }: BuilderOptions, stack: AsyncDisposableStack) {
    this.dir = dir
    this.#buildx = buildx
    this.#signal = signal
    this.#stack = stack
  }

  static async open(options: BuilderOptions): Promise<Builder> {
    await using stack = new AsyncDisposableStack()
    const dir = await mkdtemp(join(tmpdir(), 'registrar-docker-'))
    stack.defer(() => rm(dir, { recursive: true, force: true }))
    const guardian = stack.use(new Guardian())
    const socket = join(dir, 'buildkitd.sock')
    const at = `unix://${socket}`
    const args = ['--root', join(dir, 'buildkit'), '--addr', at, '--containerd-worker=false']
    const daemon = spawn(options.buildkitd, args, {
      detached: true,
      env: { ...process.env, ...guardian.mark },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    guardian.watch(daemon)
    let said = ''
    daemon.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said = `${said}${chunk}`.slice(-4000)
    })
    const ended = once(daemon, 'close')
    stack.defer(async () => {
      daemon.kill('SIGTERM')
      await ended
    })
    while (!existsSync(socket)) {
      if (daemon.exitCode !== null) throw new Error(`buildkitd ended with ${daemon.exitCode}: ${said}`)
      await sleep(50, undefined, { signal: options.signal })
    }
    const builder = new Builder(dir, options, stack.move())
    await builder.#must('create', '--name', 'lab', '--driver', 'remote', '--use', at)
    return builder
  }

  /**
   * An image of a folder, as the base of those to be built: the one that the Dockerfile names is in a registry.
   * @returns the option of `bake` that has it taken for that one
   */
  async base(name: string, rootfs: string): Promise<string> {
    const context = join(this.dir, 'base')
    await mkdir(context)
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nCOPY --from=rootfs / /\nUSER 65532\n')
    const image = join(this.dir, 'base.oci')
    await this.#must(
      ...['build', '--build-context', `rootfs=${rootfs}`],
      ...['--output', `type=oci,tar=false,dest=${image}`, context],
    )
    return `--set=*.contexts.${name}=oci-layout://${image}:latest`
  }

  /** `docker buildx bake` of the tree's docker-bake.hcl. @throws Error where it fails */
  bake(...args: string[]): Promise<string> {
    return this.#must('bake', ...args)
  }

  /** The same, whatever comes of it. */
  try(...args: string[]): Promise<Ran> {
    return ran(this.#buildx, args, this.#options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  #must(...args: string[]): Promise<string> {
    return done(this.#buildx, args, this.#options)
  }

  get #options() {
    return {
      cwd: root,
      signal: this.#signal,
      env: {
        BUILDX_CONFIG: join(this.dir, 'buildx'),
        // It would ask before it reads the base and writes the images, which lie outside of the tree.
        BUILDX_BAKE_ENTITLEMENTS_FS: '0',
      },
    }
  }
}
