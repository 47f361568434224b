import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type EngineOptions, freePort } from '../../engines/engine.ts'
import { startNats } from '../../engines/nats.ts'
import { startPostgres } from '../../engines/postgres.ts'
import { startRedis } from '../../engines/redis.ts'
import { Guardian } from '../../local/guardian.ts'
import { Container } from './container.ts'
import { readImage } from './image.ts'

/** Functions in containers of their images, and engines of this machine for them: Postgres for both services, Redis, NATS. */
export class Contained implements AsyncDisposable {
  readonly #dir: string
  readonly #layout: (target: string) => string
  readonly #urls: Readonly<Record<string, string>>
  readonly #guardian: Guardian
  readonly #stack: AsyncDisposableStack

  private constructor(
    [dir, layout]: [string, (target: string) => string],
    urls: Readonly<Record<string, string>>,
    guardian: Guardian,
    stack: AsyncDisposableStack,
  ) {
    this.#dir = dir
    this.#layout = layout
    this.#urls = urls
    this.#guardian = guardian
    this.#stack = stack
  }

  /** @param layout where a target's image is, in the OCI's layout */
  static async open(dir: string, layout: (target: string) => string): Promise<Contained> {
    await using stack = new AsyncDisposableStack()
    const guardian = stack.use(new Guardian())
    const options = (name: string): EngineOptions => ({
      dir: join(dir, name),
      password: randomBytes(12).toString('hex'),
      env: guardian.mark,
      onSpawn: (child, stop) => guardian.watch(child, stop),
    })
    const database = stack.use(await startPostgres(options('postgres')))
    const cache = stack.use(await startRedis(options('redis')))
    const events = stack.use(await startNats(options('nats')))
    const urls = {
      STUDENTS_URL: database.url,
      COURSES_URL: database.url,
      CACHE_URL: cache.url,
      EVENTS_URL: events.url,
    }
    return new Contained([dir, layout], urls, guardian, stack.move())
  }

  /** Runs one to its end. @throws Error unless that is a good one */
  async run(target: string): Promise<void> {
    await using container = await this.#start(target, {})
    await container.done()
  }

  /**
   * Starts one that serves, asks it, and has it end.
   * @returns the answer's body
   * @throws Error for another status, or an end that was no good one
   */
  async ask(target: string, status: number, request: (url: string) => Promise<Response>): Promise<string> {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    await using container = await this.#start(target, { HOST: '127.0.0.1', PORT: `${port}` })
    await container.ready(`${url}/_/ready`)
    const response = await request(url)
    const text = await response.text()
    if (response.status !== status) throw new Error(`${response.status} ${text}`)
    await container.stop()
    return text
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  async #start(target: string, env: Readonly<Record<string, string>>): Promise<Container> {
    const dir = join(this.#dir, 'containers', target)
    const rootfs = join(dir, 'root')
    const image = await readImage(this.#layout(target))
    await image.unpack(rootfs)
    return Container.start({ image, rootfs, dir, env: { ...this.#urls, ...env }, guardian: this.#guardian })
  }
}
