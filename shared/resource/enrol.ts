import { randomUUID } from 'node:crypto'
import type { Cache } from '../cache/cache.ts'
import { applyLink } from '../enrolment/apply-link.ts'
import { presentIds } from '../enrolment/links.ts'
import type { LinkMessage } from '../enrolment/messages.ts'
import { otherSide, type Side } from '../enrolment/register.ts'
import { causes, unavailable } from '../errors.ts'
import { log } from '../log.ts'
import { decodeLink, decodeToModify } from '../messages/link-codec.ts'
import type { WorkerHandler } from '../worker/handler.ts'
import type { Aggregate, Decision } from './aggregate.ts'
import type { Events } from './events.ts'
import type { Repository } from './ports.ts'
import type { Resource } from './resource.ts'
import { staleAfter } from './stale.ts'

export interface EnrolParts<F> {
  readonly writer: Repository<F>
  readonly cache: Cache
  readonly events: Events
}

/** Applies what the other side told of one link: see shared/enrolment. */
export function enrolWorker<F extends object, V extends object>(
  resource: Resource<F, V>,
  { writer, cache, events }: EnrolParts<F>,
): WorkerHandler {
  // Enrolments go on without a cache: what a commit made stale is in its outbox entry, until a sweep could tell it.
  const invalidate = (namespaces: readonly string[]): Promise<void> =>
    cache.invalidate(namespaces).catch((error: unknown) => {
      log('warn', { message: 'not invalidated: left to the sweeper', error: causes(error) })
    })
  return {
    ready: () => writer.ping(),
    async handle(payload, { traceparent }) {
      const link = decodeLink(payload)
      const { own, other } = ends(resource, link)
      const { effect, reply } = await writer.change(own, (found) =>
        decide(resource, link, found, traceparent),
      )
      // On the stale path too: the delivery before this one may have died between its commit and its invalidation. What is
      // not there is in no answer: whose deletion it was has seen to that.
      if (effect !== 'absent') await invalidate([`id:${own}`, 'list', `by:${other}`])
      if (reply && !reply.durable) {
        await told(events.tell(otherSide(resource.side), reply.link, { traceparent, nonce: randomUUID() }))
      }
      return effect
    },
  }
}

function ends({ side }: { readonly side: Side }, { student_id, course_id }: LinkMessage) {
  return side === 'S' ? { own: student_id, other: course_id } : { own: course_id, other: student_id }
}

function decide<F extends object, V extends object>(
  resource: Resource<F, V>,
  link: LinkMessage,
  found: Aggregate<F> | undefined,
  traceparent: string,
): Decision<F, ReturnType<typeof applyLink>> {
  const { own, other } = ends(resource, link)
  const now = Date.now()
  const { side: me, limit } = resource
  const applied = applyLink({
    me,
    ownId: own,
    otherId: other,
    aggregate: found,
    message: link.register,
    now,
    limit,
  })
  const { changed, reply } = applied
  if (!found || !changed) return { result: applied }
  const links = new Map([...found.links, [other, changed]])
  const before = presentIds(found.links)
  // What readers see, and so the version, moves only with the list itself.
  const seen = presentIds(links).join() !== before.join()
  const next: Aggregate<F> = seen
    ? { ...found, links, version: found.version + 1, updatedAt: Math.max(now, found.updatedAt) }
    : { ...found, links }
  return {
    result: applied,
    change: {
      next,
      changed: new Map([[other, changed]]),
      entry: {
        id: randomUUID(),
        kind: 'compensation',
        subject: own,
        links: reply?.durable ? [reply.link] : [],
        stale: staleAfter([...before, other], next),
        traceparent,
      },
    },
  }
}

/** Tells the other side of each link that a mutation of this one changed. */
export function fanOutWorker<F extends object, V extends object>(
  resource: Resource<F, V>,
  events: Events,
): WorkerHandler {
  return {
    ready: async () => {},
    async handle(payload, { traceparent }) {
      const { links } = decodeToModify(resource.side, payload)
      await told(
        Promise.all(links.map((link) => events.tell(otherSide(resource.side), link, { traceparent }))),
      )
      return `told ${links.length}`
    },
  }
}

async function told(telling: Promise<unknown>): Promise<void> {
  try {
    await telling
  } catch (error) {
    throw unavailable('the stream', error)
  }
}
