import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { NatsClient } from '../../../shared/adapters/nats-client.ts'
import { NatsDeadLetters } from '../../../shared/adapters/nats-dead-letters.ts'
import type { Register } from '../../../shared/enrolment/register.ts'
import { encodeLink } from '../../../shared/messages/link-codec.ts'
import { until } from '../../local/testing/fixture.ts'
import type { Ended, Linked, System } from './system.ts'

export const traceId = 'a'.repeat(32)
export const traceparent = `00-${traceId}-${'b'.repeat(16)}-01`

export interface Told {
  readonly id: number
  readonly reason: string
  readonly payload: { readonly summary?: string }
}

export interface Pair {
  readonly student: Linked
  readonly course: Linked
  /** The message of this register between the two, for the course. */
  readonly told: (register: Register) => Uint8Array
}

/** The dead letters of a system, and ways to get some. */
export class Letters {
  readonly #system: System

  constructor(system: System) {
    this.#system = system
  }

  command(...args: string[]): Promise<Ended> {
    return this.#system.command('dead-letters', ...args)
  }

  async list(): Promise<Told[]> {
    const { code, objects } = await this.command('list', '--json')
    expect(code).toBe(0)
    return objects as unknown as Told[]
  }

  async dropAll(): Promise<void> {
    for (const { id } of await this.list()) await this.command('drop', String(id))
  }

  async untilBuried(count: number): Promise<Told[]> {
    await until(`${count} are buried`, async () => (await this.list()).length === count)
    return this.list()
  }

  /** As a worker of the courses gives a message up. */
  async bury(payload: Uint8Array, subject = 'student.modified'): Promise<void> {
    await using graves = new NatsDeadLetters({
      url: this.#system.urls.EVENTS_URL,
      name: 'test',
      consumer: 'courses-enrol',
    })
    const [reason, stream, id] = ['8 tries failed: internal', 'StudentModified', randomUUID()]
    await graves.bury({ payload, subject, reason, stream, id, traceparent })
  }

  async publish(payload: Uint8Array): Promise<void> {
    await using client = new NatsClient({ url: this.#system.urls.EVENTS_URL, name: 'test' })
    await (await client.jetstream()).publish('student.modified', payload)
  }

  /** A student with one course. */
  async pair(): Promise<Pair> {
    const course = await this.#system.course()
    const student = await this.#system.student([course.id])
    const told = (register: Register) =>
      encodeLink({ student_id: student.id, course_id: course.id, register })
    await this.#system.settled()
    return { student, course, told }
  }
}
