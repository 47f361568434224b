import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import consumers from '../generated/consumers.json' with { type: 'json' }
import { expectConverged } from '../testing/enrolment-oracle.ts'
import { aCourse, aStudent, crossWrites, enrolmentWorld, type World } from '../testing/enrolment-world.ts'
import type { Delivery, Inbox } from '../worker/inbox.ts'

/** What was seen of one consumer: how many of its workers pulled at once, and how many messages were under way. */
interface Seen {
  readonly workers: Set<Inbox>
  pulling: number
  mostPulling: number
  underWay: number
  most: number
  count: number
}

const seen = new Map<string, Seen>(
  consumers.map(({ consumer }) => [
    consumer,
    { workers: new Set(), pulling: 0, mostPulling: 0, underWay: 0, most: 0, count: 0 },
  ]),
)

/** Counts a message from its delivery until its worker lets go of it: only then can the server deliver the next. */
function watch(consumer: string, inbox: Inbox): Inbox {
  const of = seen.get(consumer)
  if (!of) throw new Error(`${consumer} is not known`)
  return {
    async *messages(concurrency, signal) {
      of.mostPulling = Math.max(of.mostPulling, ++of.pulling)
      for await (const delivery of inbox.messages(concurrency, signal)) {
        of.workers.add(inbox)
        of.count++
        of.most = Math.max(of.most, ++of.underWay)
        yield until(delivery, () => {
          of.underWay--
        })
      }
      of.pulling--
    },
  }
}

function until(delivery: Delivery, letGo: () => void): Delivery {
  return {
    sequence: delivery.sequence,
    payload: delivery.payload,
    subject: delivery.subject,
    traceparent: delivery.traceparent,
    deliveries: delivery.deliveries,
    working: () => delivery.working(),
    acknowledge() {
      letGo()
      return delivery.acknowledge()
    },
    // What is given back counts for the server until it comes again; here it is with nobody.
    retry(delay) {
      letGo()
      return delivery.retry(delay)
    },
    bury(reason, traceparent) {
      letGo()
      return delivery.bury(reason, traceparent)
    },
  }
}

describe('with MAX_ACK_PENDING=1 and two workers on each consumer', () => {
  let world: World
  beforeAll(async () => {
    world = await enrolmentWorld({ maxAckPending: 1, workers: 2, watch })
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it('one message of a consumer is under way at a time, and all converges', async () => {
    const { students, courses } = world
    const some = await Promise.all(Array.from({ length: 8 }, () => students.create(aStudent())))
    const others = await Promise.all(Array.from({ length: 8 }, () => courses.create(aCourse())))
    const stop = new AbortController()
    const running = world.run(stop.signal)
    await crossWrites(world, some, others, 6)
    // More students than the course has places, and ends that do not exist.
    const full = await courses.create(aCourse())
    const many = await Promise.all(
      Array.from({ length: 70 }, () => students.create(aStudent([full.id, 'a'.repeat(24)]))),
    )
    const gone = await courses.create(aCourse(some.map(({ id }) => id)))
    await courses.remove(gone.id)
    stop.abort()
    await running
    await world.settle()

    await expectConverged(world, {
      students: [...some, ...many].map(({ id }) => id),
      courses: [...others, full, gone].map(({ id }) => id),
    })
    expect(await courses.members(full.id)).toHaveLength(60)
    for (const [consumer, { most, underWay, mostPulling, count, workers }] of seen) {
      expect([consumer, most, underWay, mostPulling]).toEqual([consumer, 1, 0, 2])
      expect(count).toBeGreaterThan(20)
      expect(workers.size).toBeGreaterThan(1)
    }
  })
})
