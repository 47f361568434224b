import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { Client, type Outcome } from './connection.ts'
import type { Trick } from './frames/trick.ts'
import { tricks } from './frames.ts'
import { type Finding, judge } from './judge.ts'
import type { Description } from './openapi.ts'
import { Pool } from './pool.ts'
import { messageOf, type Origin, shotOf } from './render.ts'
import type { Drawn } from './requests/drawn.ts'
import { requests } from './requests.ts'
import type { Ask, Shot } from './shot.ts'

export interface CampaignOptions {
  readonly origin: Origin
  readonly description: Description
  /** How many to send; what is sent to find the smallest that fails is not counted. */
  readonly requests: number
  readonly seed: number
  /** So many are under way at a time. */
  readonly lanes: number
  /** Is called now and then, with how many were sent. */
  readonly progress?: (sent: number) => void
}

/** A fault, with the smallest request that has it. */
export interface Found extends Finding {
  readonly shot: Shot
  readonly times: number
}

export interface Report {
  readonly sent: number
  readonly found: readonly Found[]
  /** How many answers had each status; 0: closed without one. */
  readonly statuses: ReadonlyMap<number, number>
  readonly families: ReadonlyMap<string, number>
}

interface Judged {
  readonly findings: readonly Finding[]
  readonly outcome: Outcome
  /** Of all attempts; 0: closed without one. */
  readonly statuses: readonly number[]
}

/** What a round is about. */
interface Goal {
  shrinking: boolean
  /** The new fault, of which the smallest request is looked for. */
  rule?: string
  /** What went wrong here, not in the system. */
  failure?: { readonly error: unknown }
}

/** Something must fail in a row before it is more than a busy machine. */
const tries = 3
const aliveEvery = 50

/** Sends what is drawn from the description and judges all that comes back. */
export class Campaign {
  readonly #options: CampaignOptions
  readonly #pool = new Pool()
  readonly #found = new Map<string, Found>()
  readonly #statuses = new Map<number, number>()
  readonly #families = new Map<string, number>()
  #sent = 0

  readonly #drawn: fc.Arbitrary<[Drawn, Trick | undefined]>

  constructor(options: CampaignOptions) {
    this.#options = options
    const drawn = requests(options.description)
    this.#drawn = fc.oneof(
      { weight: 3, arbitrary: fc.tuple(drawn, fc.constant(undefined)) },
      { weight: 1, arbitrary: fc.tuple(drawn, tricks) },
    )
  }

  async run(): Promise<Report> {
    const { lanes, requests: all } = this.#options
    const share = (lane: number): number => Math.floor(all / lanes) + (lane < all % lanes ? 1 : 0)
    await Promise.all(Array.from({ length: lanes }, (_, lane) => this.#lane(lane, share(lane))))
    using client = this.#client()
    await this.#alive(client)
    return {
      sent: this.#sent,
      found: [...this.#found.values()],
      statuses: this.#statuses,
      families: this.#families,
    }
  }

  /** Deletes what was made; tells how much of it is still there. */
  async clean(): Promise<{ made: number; left: number }> {
    const { origin, description } = this.#options
    const paths = [...this.#pool.made]
    using client = this.#client()
    let left = 0
    for (const path of paths) {
      const key = origin.key === undefined ? [] : [`x-api-key: ${origin.key}`]
      const headers = [`Host: ${origin.hostname}:${origin.port}`, ...key]
      const ask: Ask = { method: 'DELETE', path: undefined, worth: 'unknown' }
      const message = { method: 'DELETE', target: path, headers, body: undefined, chunked: false, ask }
      if (!description.operations.some((one) => one.method === 'DELETE'))
        return { made: paths.length, left: paths.length }
      const { answers } = await client.fire(shotOf(message, 'valid'))
      if (![204, 404].includes(answers[0]?.status ?? 0)) left++
    }
    return { made: paths.length, left }
  }

  async #lane(lane: number, count: number): Promise<void> {
    using client = this.#client()
    let left = count
    for (let round = 0; left > 0; round++) {
      const goal: Goal = { shrinking: false }
      const result = await fc.check(
        fc.asyncProperty(this.#drawn, async ([request, trick]) => {
          try {
            return await this.#try(client, request, trick, goal)
          } catch (error) {
            // To fast-check it would be one more fault of the system's.
            goal.failure ??= { error }
            return false
          }
        }),
        // Each round of each lane draws its own.
        { seed: this.#options.seed + lane * 7919 + round * 104_729, numRuns: left },
      )
      if (goal.failure) throw goal.failure.error
      // A round ends at what is new; the same again is only counted from there on.
      left -= result.numRuns
    }
  }

  /** @returns false when something new is wrong, which makes fast-check look for a smaller request. */
  async #try(client: Client, request: Drawn, trick: Trick | undefined, goal: Goal): Promise<boolean> {
    const { origin, description } = this.#options
    const message = messageOf(request, origin, this.#pool, description)
    const shot = trick ? { ...trick[1](message), trick: trick[0] } : shotOf(message, request.family)
    const { findings, outcome, statuses } = await this.#judged(client, shot)
    const [answer] = outcome.answers
    if (answer && !trick) this.#pool.learn(message.method, message.target, answer.status, answer.headers)
    if (!goal.shrinking) {
      count(this.#families, shot.family)
      for (const status of statuses) count(this.#statuses, status)
      const sent = ++this.#sent
      if (sent % aliveEvery === 0) await this.#alive(client)
      if (sent % 500 === 0) this.#options.progress?.(sent)
    }
    for (const finding of findings) {
      const known = this.#found.get(finding.rule)
      const own = goal.rule === finding.rule
      if (known && !own) {
        if (!goal.shrinking) this.#found.set(finding.rule, { ...known, times: known.times + 1 })
        continue
      }
      // While it shrinks, it is about this one fault alone: each that still has it is smaller.
      if (goal.shrinking && !own) continue
      this.#found.set(finding.rule, { ...finding, shot, times: known?.times ?? 1 })
      Object.assign(goal, { shrinking: true, rule: finding.rule })
      return false
    }
    return true
  }

  /** Each attempt is judged; the outcome is that of the last one. */
  async #judged(client: Client, shot: Shot): Promise<Judged> {
    const { origin, description } = this.#options
    const findings = new Map<string, Finding>()
    const statuses: number[] = []
    for (let attempt = 1; ; attempt++) {
      const outcome = await client.fire(shot)
      if (outcome.refused) {
        // That is not because of the request: none that is smaller is looked for.
        this.#note({ rule: 'the server takes connections', what: 'a connection was refused' }, shot)
        return { findings: [...findings.values()], outcome, statuses: [...statuses, 0] }
      }
      const wrong = judge({ shot, outcome, description, direct: origin.key === undefined })
      for (const finding of wrong) findings.set(finding.rule, finding)
      const { answers } = outcome
      for (const { status, headers } of answers) this.#pool.keep(status, headers)
      statuses.push(...(answers.length > 0 ? answers.map(({ status }) => status) : [0]))
      const busy = answers.some(({ status }) => status === 503 || status === 504)
      // A machine may be too busy for an answer in time once, but nothing here is down.
      if (busy && attempt < tries) {
        await sleep(1000)
        continue
      }
      const rule = 'a healthy system is available'
      if (busy) findings.set(rule, { rule, what: `${tries} times ${answers[0]?.status}` })
      return { findings: [...findings.values()], outcome, statuses }
    }
  }

  /** Whether whatever it was asked before, it still answers. */
  async #alive(client: Client): Promise<void> {
    const { origin, description } = this.#options
    const { path = '/' } =
      description.operations.find(
        ({ method, path }) => method === 'GET' && /(health|openapi\.json)$/.test(path),
      ) ?? {}
    const key = origin.key === undefined ? [] : [`x-api-key: ${origin.key}`]
    const headers = [`Host: ${origin.hostname}:${origin.port}`, ...key]
    const target = path === '/' ? '/_/health' : path
    const message = {
      method: 'GET',
      target,
      headers,
      body: undefined,
      chunked: false,
      ask: { method: 'GET', path, worth: 'valid' as const },
    }
    const shot = shotOf(message, 'hostile')
    const { findings, outcome } = await this.#judged(client, shot)
    // What the description does not have cannot be held against it.
    if (path !== '/') for (const finding of findings) this.#note(finding, shot)
    const [answer] = outcome.answers
    if (answer?.status !== 200)
      this.#note(
        { rule: 'it is alive afterwards', what: `${answer?.status ?? 'no answer'} to GET ${target}` },
        shot,
      )
  }

  #note(finding: Finding, shot: Shot): void {
    const known = this.#found.get(finding.rule)
    this.#found.set(
      finding.rule,
      known ? { ...known, times: known.times + 1 } : { ...finding, shot, times: 1 },
    )
  }

  #client(): Client {
    return new Client(this.#options.origin.hostname, this.#options.origin.port)
  }
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
