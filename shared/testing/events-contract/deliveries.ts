import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import type { BrokerServer } from './subject.ts'
import { aLink, drained, enrol, pulling, traceparent } from './world.ts'

export function deliveryTests(server: () => BrokerServer): void {
  afterEach(() => drained(server()))

  async function tell(count: number): Promise<void> {
    await using events = server().events()
    for (let i = 0; i < count; i++) await events.tell('S', aLink(), { traceparent })
  }

  it('what was acknowledged has been noted, and does not come again', async () => {
    await tell(3)
    await using puller = pulling(server())
    for (let left = 3; left > 0; left--) {
      const delivery = await puller.next()
      await delivery.acknowledge()
      expect(await server().unsettled(enrol.stream)).toBe(left - 1)
    }
  })

  it('an acknowledgement that the broker did not note is told as such, and the message comes again', async () => {
    await tell(1)
    {
      await using puller = pulling(server())
      const delivery = await puller.next()
      server().pause()
      try {
        await expect(delivery.acknowledge()).rejects.toThrow()
      } finally {
        server().resume()
      }
    }
    // What was on its way may have come after all: either way nothing is left in the end.
    await drained(server())
    expect(await server().unsettled(enrol.stream)).toBe(0)
  })

  it('what is given back comes again after its delay, not before, and says how often it came', async () => {
    await tell(1)
    await using puller = pulling(server())
    let delivery = await puller.next()
    for (const [i, delay] of [400, 900, 1].entries()) {
      expect(delivery.deliveries).toBe(i + 1)
      const began = performance.now()
      await delivery.retry(delay)
      delivery = await puller.next()
      expect(performance.now() - began).toBeGreaterThan(delay - 50)
    }
    expect(delivery.deliveries).toBe(4)
    await delivery.acknowledge()
  })

  it('a stop at any moment of a start ends the pulling, and uses up a delivery or two at most', async () => {
    await tell(1)
    const moments = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55]
    for (const moment of moments) {
      await using inbox = server().inbox(enrol.stream, enrol.consumer)
      const ended = (async () => {
        for await (const delivery of inbox.messages(64, AbortSignal.timeout(moment))) await delivery.retry(1)
        return 'ended'
      })()
      expect(await Promise.race([ended, sleep(30_000)])).toBe('ended')
    }
    await using puller = pulling(server())
    const delivery = await puller.next()
    expect(delivery.deliveries).toBeLessThanOrEqual(moments.length * 2 + 1)
    await delivery.acknowledge()
  })

  it('what a lost worker had comes to another within five seconds', async () => {
    await tell(1)
    const lost = pulling(server())
    const first = await lost.next()
    expect(first.deliveries).toBe(1)
    const began = performance.now()
    await lost[Symbol.asyncDispose]()
    await using other = pulling(server())
    const again = await other.next()
    expect([again.deliveries, again.payload]).toEqual([2, first.payload])
    expect(performance.now() - began).toBeLessThan(5000)
    await again.acknowledge()
  })

  it('what is being worked on for longer does not come again meanwhile', async () => {
    await tell(1)
    await using puller = pulling(server())
    const working = await puller.next()
    let came = false
    const next = puller.next().then((delivery) => {
      came = true
      return delivery
    })
    for (let i = 0; i < 12; i++) {
      await sleep(500)
      working.working()
    }
    expect(came).toBe(false)
    await working.acknowledge()
    await tell(1)
    const last = await next
    expect(last.deliveries).toBe(1)
    await last.acknowledge()
  })

  it('no more are under way at a time than the consumer allows, over all its workers', async () => {
    await provision(2)
    try {
      await tell(5)
      await using one = pulling(server(), 2)
      await using other = pulling(server(), 2)
      let underWay = 0
      let most = 0
      let count = 0
      const work = async (puller: typeof one): Promise<void> => {
        for (;;) {
          const delivery = await puller.next()
          most = Math.max(most, ++underWay)
          count++
          // Gives others the time to come, if they may.
          await sleep(200)
          underWay--
          await delivery.acknowledge()
        }
      }
      // Two calls each, as many as might come: they end when the pullers do.
      for (const puller of [one, other, one, other]) work(puller).catch(() => {})
      await expect.poll(() => server().unsettled(enrol.stream)).toBe(0)
      expect([count, most]).toEqual([5, 2])
    } finally {
      await provision(64)
    }
  })

  async function provision(maxAckPending: number): Promise<void> {
    await using provisioner = server().provisioner(maxAckPending)
    for (const step of await provisioner.plan()) await step.apply()
  }
}
