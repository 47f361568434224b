import { randomUUID } from 'node:crypto'
import { afterEach, expect, it } from 'vitest'
import { decodeLink, decodeToModify } from '../../messages/link-codec.ts'
import type { BrokerServer } from './subject.ts'
import { aLink, drained, enrol, Puller, pulling, traceparent } from './world.ts'

export function publishingTests(server: () => BrokerServer): void {
  afterEach(() => drained(server()))

  it('a link that was told has come to the other side, with its trace', async () => {
    await using events = server().events()
    await using puller = pulling(server())
    const link = aLink()
    await events.tell('S', link, { traceparent })
    const delivery = await puller.next()
    expect(decodeLink(delivery.payload)).toEqual(link)
    const { subject, deliveries, traceparent: carried } = delivery
    expect([subject, deliveries, carried]).toEqual([enrol.subject, 1, traceparent])
    await delivery.acknowledge()
  })

  it('a mutation that was announced has come to the fan-out of its own side, once however often', async () => {
    await using events = server().events()
    await using puller = new Puller(server().inbox('CourseToModify', 'courses-fan-out'))
    const link = aLink()
    const mutation = { id: randomUUID(), side: 'C' as const, subject: link.course_id, links: [link] }
    for (let i = 0; i < 3; i++) await events.announce(mutation, { traceparent })
    expect(await server().unsettled('CourseToModify')).toBe(1)
    const delivery = await puller.next()
    expect(decodeToModify('C', delivery.payload)).toEqual({ id: link.course_id, links: [link] })
    expect(delivery.traceparent).toBe(traceparent)
    await delivery.acknowledge()
  })

  it('the same link is kept once, from however many processes; another register of it is another', async () => {
    await using one = server().events()
    await using two = server().events()
    const link = aLink()
    await Promise.all([one, two, one, two].map((events) => events.tell('S', link, { traceparent })))
    expect(await server().unsettled(enrol.stream)).toBe(1)
    await one.tell('S', { ...link, register: { ...link.register, present: false } }, { traceparent })
    expect(await server().unsettled(enrol.stream)).toBe(2)
  })

  it('with a nonce it comes again; where it would not, the call fails rather than lose it', async () => {
    await using events = server().events()
    const link = aLink()
    const nonce = randomUUID()
    await events.tell('S', link, { traceparent })
    await events.tell('S', link, { traceparent, nonce })
    await events.tell('S', link, { traceparent, nonce: randomUUID() })
    expect(await server().unsettled(enrol.stream)).toBe(3)
    await expect(events.tell('S', link, { traceparent, nonce })).rejects.toThrow(/duplicate/)
    const mutation = { id: randomUUID(), side: 'S' as const, subject: link.student_id, links: [link] }
    await events.announce(mutation, { traceparent, nonce })
    await expect(events.announce(mutation, { traceparent, nonce })).rejects.toThrow(/duplicate/)
  })

  it('a broker that hangs keeps nobody waiting, and takes what comes when it answers', async () => {
    await using events = server().events()
    await events.tell('S', aLink(), { traceparent })
    server().pause()
    try {
      await using fresh = server().events()
      for (const one of [events, fresh]) {
        const began = performance.now()
        await expect(one.tell('S', aLink(), { traceparent })).rejects.toThrow()
        // A second is the contract's; the rest is for a busy machine.
        expect(performance.now() - began).toBeLessThan(3000)
      }
    } finally {
      server().resume()
    }
    await expect
      .poll(() => events.tell('S', aLink(), { traceparent }).then(() => 'told', String), { timeout: 20_000 })
      .toBe('told')
  })

  it('what a broker has taken is there after it was killed, for those who pull throughout', async () => {
    await using events = server().events()
    const links = [aLink(), aLink(), aLink()]
    await using puller = pulling(server())
    for (const link of links) await events.tell('S', link, { traceparent })
    await puller.next()
    await server().bounce()
    // What was under way comes again; the rest may have come to this process before the kill.
    const found = new Set<string>()
    while (found.size < links.length) {
      const delivery = await puller.next()
      const noted = await delivery.acknowledge().then(
        () => true,
        () => false,
      )
      if (noted) found.add(decodeLink(delivery.payload).student_id)
    }
    expect([...found].toSorted()).toEqual(links.map((link) => link.student_id).toSorted())
    await expect.poll(() => server().unsettled(enrol.stream), { timeout: 20_000 }).toBe(0)
    const last = aLink()
    await expect
      .poll(() => events.tell('S', last, { traceparent }).then(() => 'told', String), { timeout: 20_000 })
      .toBe('told')
    await (await puller.next()).acknowledge()
  })
}
