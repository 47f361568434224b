import { afterEach, expect, it } from 'vitest'
import type { BrokerServer } from './subject.ts'
import { aLink, drained, enrol, pulling, traceparent } from './world.ts'

export function deadLetterTests(server: () => BrokerServer): void {
  afterEach(() => drained(server()))
  const other = `00-${'3'.repeat(32)}-${'4'.repeat(16)}-01`
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

  it('what is buried is kept as it was, with the reason and its trace, and does not come again', async () => {
    await using events = server().events()
    const before = (await server().buried()).length
    await events.tell('S', aLink(), { traceparent })
    await using puller = pulling(server())
    const delivery = await puller.next()
    await delivery.bury('nobody can read it: é', other)
    const [letter, ...more] = (await server().buried()).slice(before)
    expect(more).toEqual([])
    expect(letter).toMatchObject({
      reason: expect.stringMatching(/^nobody can read it/),
      stream: enrol.stream,
      subject: enrol.subject,
      consumer: enrol.consumer,
      traceparent,
    })
    expect(Buffer.from(letter?.payload ?? [])).toEqual(Buffer.from(delivery.payload))
    await expect.poll(() => server().unsettled(enrol.stream)).toBe(0)
  })

  it('what came without a trace is kept with that of the attempt', async () => {
    await using events = server().events()
    const before = (await server().buried()).length
    await events.tell('S', aLink(), { traceparent: '' })
    await using puller = pulling(server())
    await (await puller.next()).bury('nobody can read it', other)
    expect((await server().buried()).slice(before)).toMatchObject([{ traceparent: other }])
  })

  it('what did not come from a stream by itself is buried too, the same letter once', async () => {
    await using letters = server().deadLetters(enrol.consumer)
    const before = (await server().buried()).length
    const letter = {
      payload: Buffer.from('poison'),
      reason: 'it is poison',
      stream: enrol.stream,
      subject: enrol.subject,
      id: `event:${before}`,
      traceparent,
    }
    for (let i = 0; i < 3; i++) await letters.bury(letter)
    await letters.bury({ ...letter, id: `event:${before}:other` })
    const found = (await server().buried()).slice(before)
    expect(found.map(({ payload, reason }) => [text(payload), reason])).toEqual([
      ['poison', 'it is poison'],
      ['poison', 'it is poison'],
    ])
  })

  it('what a sweeper was told of that died over it is led to the dead letter by the next', async () => {
    await using exhausted = server().exhausted([enrol.consumer])
    const before = (await server().buried()).length
    await server().publish(enrol.subject, Buffer.from('kills too'))
    await using puller = pulling(server())
    for (let deliveries = 1; deliveries <= 20; deliveries++) await (await puller.next()).retry(1)
    // Without a puller nobody asks for the delivery beyond the last, and nothing is told.
    const beyond = puller.next().catch(() => {})
    await server().loseAdvisories(enrol.consumer)
    expect((await server().buried()).length).toBe(before)
    await expect.poll(() => exhausted.bury(), { timeout: 60_000, interval: 500 }).toBe(1)
    const letters = (await server().buried()).slice(before)
    expect(letters.map(({ payload }) => text(payload))).toEqual(['kills too'])
    // Those behind it still come.
    await using events = server().events()
    await events.tell('S', aLink(), { traceparent })
    await (await beyond)?.acknowledge()
  }, 120_000)

  it('what kills each worker that takes it comes no more in the end, and is led to the dead letter', async () => {
    await using exhausted = server().exhausted([enrol.consumer])
    expect(await exhausted.bury()).toBe(0)
    const before = (await server().buried()).length
    await server().publish(enrol.subject, Buffer.from('kills'))
    await using puller = pulling(server())
    // A worker that dies gives nothing back; to give it back at once only saves the time until the broker sees that.
    for (let deliveries = 1; deliveries <= 20; deliveries++) {
      const delivery = await puller.next()
      expect(delivery.deliveries).toBe(deliveries)
      await delivery.retry(1)
    }
    let came = false
    const next = puller.next().then((delivery) => {
      came = true
      return delivery
    })
    await expect.poll(() => exhausted.bury(), { timeout: 20_000 }).toBe(1)
    const letters = (await server().buried()).slice(before)
    expect(letters).toMatchObject([
      { stream: enrol.stream, subject: enrol.subject, consumer: enrol.consumer },
    ])
    expect([text(letters[0]?.payload ?? new Uint8Array()), letters[0]?.reason]).toEqual([
      'kills',
      expect.stringMatching(/died or hung on each of 20/),
    ])
    expect([await exhausted.bury(), await server().unsettled(enrol.stream), came]).toEqual([0, 0, false])
    // Those behind it still come.
    await using events = server().events()
    await events.tell('S', aLink(), { traceparent })
    await (await next).acknowledge()
  })
}
