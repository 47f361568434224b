import { fileURLToPath } from 'node:url'
import type { Variables } from '../../../shared/config.ts'
import { Child } from '../../bench/process.ts'
import { Guardian } from '../../local/guardian.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Where a process is to end by SIGKILL: see die.ts. */
export type Point =
  | 'committed'
  | 'published'
  | 'swept'
  | 'handled'
  | 'replied'
  | `message:${string}`
  | `packet:${number}`

export interface StartOptions {
  readonly dieAt?: Point
  readonly variables?: Variables
}

/** Functions as processes of their own, from the sources, over the engines of a test. */
export class Functions implements AsyncDisposable {
  readonly #variables: Variables
  readonly #stack = new AsyncDisposableStack()
  readonly #guardian = this.#stack.use(new Guardian())

  constructor(variables: Variables) {
    this.#variables = variables
  }

  start(name: string, { dieAt, variables = {} }: StartOptions = {}): Child {
    const { PATH = '' } = process.env
    const env = { PATH, ...this.#guardian.mark, HOST: '127.0.0.1', PORT: '0', FUNCTION: name }
    const given = Object.entries({ ...this.#variables, ...variables, DIE_AT: dieAt }).flatMap(
      ([key, value]): [string, string][] => (value === undefined ? [] : [[key, value]]),
    )
    return this.#stack.use(
      new Child({
        name,
        args: [...(dieAt ? ['--import', here('die.ts')] : []), here('../../../shared/hosts/main.ts'), name],
        cwd: root,
        env: { ...env, ...Object.fromEntries(given) },
        guardian: this.#guardian,
      }),
    )
  }

  /** Lets a process end as it wants to; what it ended by. */
  async run(name: string, options?: StartOptions): Promise<number | NodeJS.Signals> {
    return this.start(name, options).exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

/** The status of an answer, with its `data`; nothing where the connection broke before there was one. */
export async function post(
  child: Child,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly id: string } | undefined> {
  const url = `http://127.0.0.1:${await child.ready}${path}`
  const sent = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  }
  const reply = await fetch(url, sent).catch(() => undefined)
  if (!reply) return undefined
  const { data }: { data?: { id?: string } } = JSON.parse(await reply.text())
  return { status: reply.status, id: data?.id ?? '' }
}
