import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Guardian } from '../../local/guardian.ts'
import type { BuiltImage } from './image.ts'

export interface ContainerOptions {
  readonly image: BuiltImage
  /** Its root file system. */
  readonly rootfs: string
  /** Where its specification goes, and what runc keeps of it. */
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly guardian: Guardian
}

/**
 * A container of an image, by runc: the image's command, user and folder, a root that is read only, no capability, processes
 * and mounts of its own; but this machine's loopback, where the servers are.
 */
export class Container implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  #said = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.#said += chunk
      })
    this.#ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null)
  }

  static async start({ image, rootfs, dir, env, guardian }: ContainerOptions): Promise<Container> {
    const [uid, gid] = image.config.User.split(':').map(Number)
    await mkdir(dir, { recursive: true })
    const set = Object.entries(env).map((pair) => pair.join('='))
    const specification = {
      ociVersion: '1.0.2',
      process: {
        user: { uid, gid },
        args: image.config.Entrypoint,
        env: [...image.config.Env, ...set],
        cwd: image.config.WorkingDir,
        capabilities: {},
        noNewPrivileges: true,
      },
      root: { path: rootfs, readonly: true },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      ],
      linux: { namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })) },
    }
    await writeFile(join(dir, 'config.json'), JSON.stringify(specification))
    const id = `registrar-${randomBytes(6).toString('hex')}`
    const child = spawn('runc', ['--root', join(dir, 'state'), 'run', '--bundle', dir, id], {
      detached: true,
      env: { PATH: process.env['PATH'], ...guardian.mark },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    guardian.watch(child)
    return new Container(child)
  }

  /** To its end. @throws Error unless that was a good one */
  async done(): Promise<string> {
    const code = await this.#ended
    if (code !== 0) throw new Error(`it ended with ${code}: ${this.#said.slice(-2000)}`)
    return this.#said
  }

  /** Waits until it serves at a URL. */
  async ready(url: string): Promise<void> {
    for (const end = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const response = await fetch(url).catch(() => undefined)
      if (response?.ok) return
      if (this.#child.exitCode !== null || Date.now() > end)
        throw new Error(`it does not serve ${url}: ${this.#said.slice(-2000)}`)
    }
  }

  /** Asks it to end. @throws Error unless it does, and well */
  async stop(): Promise<string> {
    this.#child.kill('SIGTERM')
    return this.done()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#ended
  }
}
