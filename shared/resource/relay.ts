import type { Cache } from '../cache/cache.ts'
import { otherSide, type Side } from '../enrolment/register.ts'
import { causes, Failure } from '../errors.ts'
import { log } from '../log.ts'
import { within } from '../within.ts'
import type { OutboxEntry } from './aggregate.ts'
import type { Events } from './events.ts'
import type { Outbox, Repository } from './ports.ts'
import { staleAfter } from './stale.ts'

export interface RelayParts {
  readonly side: Side
  readonly outbox: Outbox
  readonly cache: Cache
  readonly events: Events
}

/** How old an entry must be before a sweep takes it from the function that wrote it, in milliseconds. */
const age = 5000
/** Longest that an answer waits for its entry to be told, in milliseconds. */
const patience = 1000
/** How long entries are left to the sweeper after the broker did not take one, in milliseconds. */
const pause = 1000

/** Tells what the outbox holds: at once after a commit, and again, later, where that failed or its process died. */
export class Relay implements AsyncDisposable {
  readonly #parts: RelayParts
  readonly #told: OutboxEntry[] = []
  #settling: Promise<void> | undefined
  #brokerAway = 0
  #retry: NodeJS.Timeout | undefined
  #again = false

  constructor(parts: RelayParts) {
    this.#parts = parts
  }

  /** Invalidates and publishes what a commit has to tell; never rejects, and takes a second at most: the commit stands. */
  async afterCommit(entry: OutboxEntry): Promise<void> {
    const leaveEvents = this.#brokerAway > performance.now()
    try {
      const telling = tell(entry, this.#parts, leaveEvents)
      await within(patience, telling, () => new NotPublished(`not told within ${patience} ms`))
      this.#told.push(entry)
      this.#settling ??= this.#settle()
    } catch (error) {
      // What was not even tried says nothing of the broker: else a busy instance would never try again.
      if (error instanceof NotPublished && !leaveEvents) this.#brokerAway = performance.now() + pause
      log('warn', { message: 'left in the outbox for the sweeper', entry: entry.id, error: causes(error) })
      this.#sweepLater()
    }
  }

  /** Before an answer that shows what another has committed, and maybe not told: nothing older is shown after it. */
  async asCommitted(stale: readonly string[]): Promise<void> {
    try {
      await this.#parts.cache.invalidate(stale)
    } catch (error) {
      log('warn', { message: 'not invalidated: left to the sweeper', error: causes(error) })
    }
  }

  /** Tells what is left over from others. Returns the age in seconds of the oldest entry found. */
  async sweep(): Promise<number> {
    let oldest = 0
    let after: string | undefined
    do {
      const swept = await this.#parts.outbox.sweep(age, 100, (one) => tell(one, this.#parts, false), after)
      oldest = Math.max(oldest, swept.oldest)
      after = swept.next
    } while (after !== undefined)
    return oldest / 1000
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#retry)
    await this.#settling
  }

  /** Marks in the background, many at a time: an entry left unmarked is only told again. */
  async #settle(): Promise<void> {
    try {
      while (this.#told.length > 0) await this.#parts.outbox.settled(this.#told.splice(0))
    } catch (error) {
      log('warn', { message: 'outbox entries could not be marked', error: causes(error) })
      this.#sweepLater()
    } finally {
      this.#settling = undefined
    }
  }

  /** As long as this instance lives it need not wait for the sweeper. */
  #sweepLater(): void {
    if (this.#retry) {
      // What is left meanwhile may be too young for that sweep.
      this.#again = true
      return
    }
    this.#retry = setTimeout(async () => {
      this.#retry = undefined
      const again = this.#again
      this.#again = false
      try {
        await this.sweep()
        if (again) this.#sweepLater()
      } catch {
        this.#sweepLater()
      }
    }, age + 1000).unref()
  }
}

class NotPublished extends Error {
  override readonly name = 'NotPublished'
}

/** Invalidates and publishes, both at once; rejects when either fails, and may then be repeated. */
async function tell(
  entry: OutboxEntry,
  { side, cache, events }: RelayParts,
  leaveEvents: boolean,
): Promise<void> {
  const { id, kind, subject, links, traceparent } = entry
  const publish = async (): Promise<void> => {
    if (links.length === 0) return
    if (leaveEvents) throw new NotPublished('the broker did not answer a moment ago')
    try {
      if (kind === 'mutation') await events.announce({ id, side, subject, links }, { traceparent })
      else await Promise.all(links.map((link) => events.tell(otherSide(side), link, { traceparent })))
    } catch (cause) {
      throw new NotPublished('the broker did not take the entry', { cause })
    }
  }
  const [invalidated, published] = await Promise.allSettled([cache.invalidate(entry.stale), publish()])
  if (published.status === 'rejected') throw published.reason
  if (invalidated.status === 'rejected') throw invalidated.reason
}

/** Refusals that tell what is there. */
const tellsOfState: ReadonlySet<string> = new Set(['not_found', 'conflict', 'precondition_failed'])

/** A repository whose commits are told to others before they are answered. */
export function relayed<F>(repository: Repository<F>, relay: Relay): Repository<F> {
  /** What is refused was judged by what is committed: maybe by somebody who died before it could tell. */
  const refused = async (error: unknown, stale: readonly string[]): Promise<never> => {
    if (error instanceof Failure && tellsOfState.has(error.code)) await relay.asCommitted(stale)
    throw error
  }
  return {
    get: (id) => repository.get(id),
    links: (id) => repository.links(id),
    list: (query) => repository.list(query),
    membersOf: (ids) => repository.membersOf(ids),
    ping: () => repository.ping(),
    async insert(change, claim) {
      const insertion = await repository.insert(change, claim).catch((error) => refused(error, ['list']))
      if (insertion.created) await relay.afterCommit(change.entry)
      else await relay.asCommitted(change.entry.stale)
      return insertion
    },
    async change(id, decide) {
      let entry: OutboxEntry | undefined
      let stale: readonly string[] | undefined
      let shown: readonly string[] = []
      const deciding: typeof decide = (current) => {
        shown = current ? staleAfter([], current) : [`id:${id}`, 'list']
        const decision = decide(current)
        // Asked again after a conflict: the last decision is the one that was written.
        entry = decision.change?.entry
        stale = decision.stale
        return decision
      }
      const result = await repository.change(id, deciding).catch((error) => refused(error, shown))
      if (entry) await relay.afterCommit(entry)
      else if (stale) await relay.asCommitted(stale)
      return result
    },
  }
}
