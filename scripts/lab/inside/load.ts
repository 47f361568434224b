import { setTimeout as sleep } from 'node:timers/promises'
import { causes } from '../../../shared/errors.ts'
import type { Asked } from './ask.ts'

export interface Loaded {
  readonly asked: number
  /** What was not answered, or not as expected, each once, with how often. */
  readonly lost: ReadonlyMap<string, number>
}

/**
 * Asks again and again, by several clients at once with a pause in between, until it is stopped. What each was answered first is
 * what it expects from then on.
 */
export class Load {
  #asked = 0
  readonly #lost = new Map<string, number>()
  #stopped = false
  readonly #clients: readonly Promise<void>[]

  constructor(ask: (client: number) => Promise<Asked>, clients: number, pause: number) {
    this.#clients = Array.from({ length: clients }, async (_, client) => {
      const expected = await this.#answer(() => ask(client))
      if (/^5|^no answer/.test(expected)) this.#lose(expected)
      for (; !this.#stopped; await sleep(pause)) {
        const said = await this.#answer(() => ask(client))
        if (said !== expected) this.#lose(said)
      }
    })
  }

  async #answer(ask: () => Promise<Asked>): Promise<string> {
    this.#asked++
    return ask().then(
      ({ said }) => said,
      (error: unknown) => `no answer: ${causes(error).join('; ')}`,
    )
  }

  #lose(what: string): void {
    this.#lost.set(what, (this.#lost.get(what) ?? 0) + 1)
  }

  async stop(): Promise<Loaded> {
    this.#stopped = true
    await Promise.all(this.#clients)
    return { asked: this.#asked, lost: this.#lost }
  }
}
