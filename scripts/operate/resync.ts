import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { reemit } from '../../shared/enrolment/messages.ts'
import { otherSide, type Side } from '../../shared/enrolment/register.ts'
import type { Events } from '../../shared/resource/events.ts'
import type { Repository } from '../../shared/resource/ports.ts'
import { startTrace } from '../../shared/tracing.ts'

const mostTries = 5

export interface ResyncSide {
  readonly side: Side
  readonly repository: Repository<object>
  readonly events: Events
}

/**
 * Tells the other side every register of one aggregate, or of all, after messages were lost for good. To be done for
 * both sides, and only when the outboxes are empty and the workers have nothing left: an old message that comes later
 * would undo what it tells.
 */
export async function resync({ side, repository, events }: ResyncSide, id?: string): Promise<number> {
  let told = 0
  for await (const ownId of id === undefined ? everyId(repository) : [id]) {
    const links = await repository.links(ownId)
    if (!links) throw new Error(`there is none with the id ${ownId}`)
    const { traceparent } = startTrace('resync', 'producer', undefined)
    for (const message of reemit({ me: side, ownId, links })) {
      await patiently(() => events.tell(otherSide(side), message, { traceparent, nonce: randomUUID() }))
      told++
    }
  }
  return told
}

/** A broker that is busy, or just back, shall not end a long resync: told twice is as good as once. */
async function patiently(tell: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await tell()
    } catch (error) {
      if (tries === mostTries) throw error
      await sleep(500)
    }
  }
}

async function* everyId(repository: Repository<object>): AsyncIterable<string> {
  const query = { limit: 200, sort: 'created_at', descending: false, filter: {} }
  for (let page = await repository.list(query); ; ) {
    for (const { id } of page.items) yield id
    const last = page.items.at(-1)
    if (!page.more || !last) return
    page = await repository.list({ ...query, after: { value: last.createdAt, id: last.id } })
  }
}
