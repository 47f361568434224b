import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { exchange, Reply, type Sent, type Target } from './target.ts'

/** What any gateway may add to answers, which the contract does not speak of. */
const added =
  /^(server|via|vary|alt-svc|strict-transport-security|x-.*|access-control-.*|ratelimit-.*|forwarded)$/

/** Longest that all waits for a rate limit may be together, in milliseconds. */
const mostWaiting = 300_000

/** A gateway, known by its origin and a key alone: what was made through it is removed when it is closed. */
export class GatewayTarget implements Target {
  readonly name: string
  readonly key: string
  readonly #origin: URL
  readonly #agent: Agent
  readonly #made = new Set<string>()
  #waited = 0

  constructor(url: string, key: string) {
    this.#origin = new URL(url)
    this.name = this.#origin.origin
    this.key = key
    this.#agent = this.#origin.protocol === 'https:' ? new TlsAgent(options) : new Agent(options)
  }

  request(method: string, path: string, sent: Sent = {}): Promise<Reply> {
    return this.bare(method, path, { ...sent, headers: { 'x-api-key': this.key, ...sent.headers } })
  }

  /** Without the key. */
  async bare(method: string, path: string, sent: Sent = {}): Promise<Reply> {
    const reply = await exchange(this.#origin, this.#agent, method, path, sent)
    if (reply.status === 429 && this.#waited < mostWaiting) {
      const wait = Math.max(1, Number(reply.headers['retry-after'] ?? 1)) * 1000
      this.#waited += wait
      await sleep(wait)
      return this.bare(method, path, sent)
    }
    if (reply.status === 201 && reply.headers.location) this.#made.add(reply.headers.location)
    const headers = Object.fromEntries(Object.entries(reply.headers).filter(([name]) => !added.test(name)))
    return new Reply(reply.status, headers, reply.bytes, reply.traceId, reply.continued)
  }

  /** Milliseconds that a rate limit has kept it waiting. */
  get waited(): number {
    return this.#waited
  }

  /** Deletes all that was made; tells how many there were, and which are still there. */
  async clean(): Promise<{ made: number; left: string[] }> {
    const paths = [...this.#made]
    const left: string[] = []
    const next = paths.values()
    const worker = async (): Promise<void> => {
      for (const path of next) {
        const { status } = await this.request('DELETE', path).catch(() => ({ status: 0 }))
        if (status !== 204 && status !== 404) left.push(path)
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    this.#made.clear()
    return { made: paths.length, left }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { left } = await this.clean()
    this.#agent.destroy()
    if (left.length > 0) throw new Error(`could not be removed: ${left.join(' ')}`)
  }
}

const options = { keepAlive: true }
