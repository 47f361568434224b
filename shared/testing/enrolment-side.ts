import { randomBytes } from 'node:crypto'
import { RedisCache } from '../adapters/redis-cache.ts'
import type { Cache } from '../cache/cache.ts'
import type { LinkMessage } from '../enrolment/messages.ts'
import type { Handler, HandlerInput } from '../http/call.ts'
import type { Change, Decision, OutboxEntry } from '../resource/aggregate.ts'
import { creating, deleting, replacing } from '../resource/commands.ts'
import { enrolWorker, fanOutWorker } from '../resource/enrol.ts'
import type { Events } from '../resource/events.ts'
import type { Outbox, Repository, Tombstones } from '../resource/ports.ts'
import { Relay, relayed } from '../resource/relay.ts'
import type { Resource } from '../resource/resource.ts'
import type { WorkerHandler } from '../worker/handler.ts'
import { redisUrl } from './engines.ts'

/** What one commit told the other side, and how many links it left. */
export interface Committed {
  readonly kind: OutboxEntry['kind']
  readonly links: readonly LinkMessage[]
  readonly present: number
}

export interface Side<V> {
  readonly repository: Repository<object> & Tombstones
  readonly cache: Cache
  readonly relay: Relay
  readonly fanOut: WorkerHandler
  readonly enrol: WorkerHandler
  /** Every commit so far, for the oracle. */
  readonly commits: readonly Committed[]
  create(fields: object): Promise<V>
  /** Replaces the links of one, as a PUT of its current fields with these ids. */
  link(id: string, members: readonly string[], ifMatch?: string): Promise<void>
  remove(id: string): Promise<void>
  members(id: string): Promise<readonly string[] | undefined>
}

/** Where the aggregates of a side lie. */
export interface SideStore<F> {
  readonly repository: Repository<F> & Tombstones
  readonly outbox: Outbox
}

export interface SideParts {
  readonly events: Events
  /** Closes what the side opens. */
  readonly stack: AsyncDisposableStack
  /** How far the clock of this side is ahead, in milliseconds. */
  readonly skew: number
}

const context = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` }

/** One side of the enrolments over real engines: its commands as functions, its workers as handlers. */
export function openSide<F extends object, V extends object>(
  resource: Resource<F, V>,
  { repository, outbox }: SideStore<F>,
  { events, stack, skew }: SideParts,
): Side<V> {
  const cache = stack.use(
    new RedisCache({ url: redisUrl(), service: `${resource.service}-${randomBytes(4).toString('hex')}` }),
  )
  const relay = stack.use(new Relay({ side: resource.side, outbox, cache, events }))
  const commits: Committed[] = []
  const writer = recorded(relayed(onClock(repository, skew), relay), commits)
  const call = async (handler: Handler, input: Partial<HandlerInput>): Promise<unknown> => {
    const whole = {
      params: {},
      query: {},
      body: {},
      ifMatch: undefined,
      idempotencyKey: undefined,
      consumer: 'test',
    }
    return (await ahead(skew, () => handler({ ...whole, ...input }, context))).body
  }
  return {
    repository: repository as unknown as Repository<object> & Tombstones,
    cache,
    relay,
    fanOut: { ...fanOutWorker(resource, events), sweep: () => relay.sweep() },
    enrol: { ...enrolWorker(resource, { writer, cache, events }), sweep: () => relay.sweep() },
    commits,
    create: async (body) => ((await call(creating(resource, writer), { body })) as { data: V }).data,
    link: async (id, members, ifMatch) => {
      const { fields } = (await repository.get(id)) ?? {}
      const body = { ...fields, [resource.linkField]: members }
      await call(replacing(resource, writer), { params: { id }, body, ifMatch })
    },
    remove: async (id) => void (await call(deleting(resource, writer), { params: { id } })),
    members: async (id) => (await repository.get(id))?.members,
  }
}

/**
 * Commands and workers read the clock where they decide, without I/O: there it can be another one for each side. The
 * repository keeps to its own, which it measures its patience by.
 */
function onClock<F>(repository: Repository<F>, skew: number): Repository<F> {
  return delegating(repository, {
    async insert(change, claim) {
      await undefined
      return repository.insert(change, claim)
    },
    async change(id, decide) {
      await undefined
      return repository.change(id, (current) => ahead(skew, () => decide(current)))
    },
  })
}

/** Runs what is synchronous of `work` on a clock that is ahead. */
function ahead<T>(skew: number, work: () => T): T {
  const real = Date.now
  Date.now = () => real() + skew
  try {
    return work()
  } finally {
    Date.now = real
  }
}

function recorded<F>(repository: Repository<F>, commits: Committed[]): Repository<F> {
  const record = ({ next, entry }: Change<F>): void => {
    const present = [...(next?.links.values() ?? [])].filter((register) => register.present).length
    commits.push({ kind: entry.kind, links: entry.links, present })
  }
  return delegating(repository, {
    async insert(change, claim) {
      const insertion = await repository.insert(change, claim)
      if (insertion.created) record(change)
      return insertion
    },
    async change<R>(id: string, decide: (current: never) => Decision<F, R>) {
      let change: Change<F> | undefined
      const result = await repository.change<R>(id, (current) => {
        const decision = decide(current as never)
        change = decision.change
        return decision
      })
      if (change) record(change)
      return result
    },
  })
}

/** A repository that does some things in another way. */
function delegating<F>(repository: Repository<F>, own: Partial<Repository<F>>): Repository<F> {
  return {
    get: (id) => repository.get(id),
    links: (id) => repository.links(id),
    list: (query) => repository.list(query),
    membersOf: (ids) => repository.membersOf(ids),
    insert: (change, claim) => repository.insert(change, claim),
    change: (id, decide) => repository.change(id, decide),
    ping: () => repository.ping(),
    ...own,
  }
}
