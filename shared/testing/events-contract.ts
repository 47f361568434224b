import { afterAll, beforeAll, describe } from 'vitest'
import { deadLetterTests } from './events-contract/dead-letters.ts'
import { deliveryTests } from './events-contract/deliveries.ts'
import { publishingTests } from './events-contract/publishing.ts'
import type { BrokerServer, EventsSubject } from './events-contract/subject.ts'

export type { BrokerServer, Buried, EventsSubject } from './events-contract/subject.ts'

/**
 * What `Events`, `Inbox`, `DeadLetters`, `Exhausted` and the provisioner of the streams promise together, asked of an
 * adapter over a real broker.
 */
export function eventsContract(name: string, subject: EventsSubject): void {
  describe(name, () => {
    let started: BrokerServer | undefined
    const server = (): BrokerServer => {
      if (!started) throw new Error('the broker runs only while tests do')
      return started
    }
    beforeAll(async () => {
      started = await subject.start()
      await using provisioner = started.provisioner(64)
      for (const step of await provisioner.plan()) await step.apply()
    })
    afterAll(() => started?.[Symbol.asyncDispose]())
    describe('publishing', () => publishingTests(server))
    describe('deliveries', () => deliveryTests(server))
    describe('dead letters', () => deadLetterTests(server))
  })
}
