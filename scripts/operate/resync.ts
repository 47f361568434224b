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
  readonly repository: Pick<Repository<object>, 'links'>
  readonly events: Events
}

/**
 * Tells the other side the registers of one aggregate again, after messages were lost for good: all of them, or those
 * about `only`. Nothing is told of what is not there any more. Returns how many were told. What is told is stored there,
 * so it may be told at any time and twice; but an old message that still waits somewhere comes later and undoes it.
 */
export async function resync(
  { side, repository, events }: ResyncSide,
  ownId: string,
  only?: ReadonlySet<string>,
): Promise<number> {
  const all = (await repository.links(ownId)) ?? new Map()
  const some = only ? new Map([...all].filter(([id]) => only.has(id))) : all
  const { traceparent } = startTrace('resync', 'producer', undefined)
  for (const message of reemit({ me: side, ownId, links: some })) {
    await patiently(() => events.tell(otherSide(side), message, { traceparent, nonce: randomUUID() }))
  }
  return some.size
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
