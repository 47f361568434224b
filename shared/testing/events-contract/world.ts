import { randomBytes, randomUUID } from 'node:crypto'
import type { LinkMessage } from '../../enrolment/messages.ts'
import type { Delivery, Inbox } from '../../worker/inbox.ts'
import type { BrokerServer } from './subject.ts'

export const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`

/** Whom the links to the students' side reach. */
export const enrol = {
  stream: 'CourseModified',
  subject: 'course.modified',
  consumer: 'students-enrol',
} as const

let count = 0

export const aLink = (): LinkMessage => ({
  student_id: randomUUID(),
  course_id: randomBytes(12).toString('hex'),
  register: { present: true, ts: Date.now() * 1000 + count++, origin: 'C' },
})

/** One worker of a consumer, asked for its messages one by one. */
export class Puller implements AsyncDisposable {
  readonly #inbox: Inbox & AsyncDisposable
  readonly #stop = new AbortController()
  readonly #messages: AsyncIterator<Delivery>

  constructor(inbox: Inbox & AsyncDisposable, concurrency = 64) {
    this.#inbox = inbox
    this.#messages = inbox.messages(concurrency, this.#stop.signal)[Symbol.asyncIterator]()
  }

  async next(): Promise<Delivery> {
    const { value, done } = await this.#messages.next()
    if (done) throw new Error('there is no next message: it was stopped')
    return value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#inbox[Symbol.asyncDispose]()
  }
}

export function pulling(server: BrokerServer, concurrency?: number): Puller {
  return new Puller(server.inbox(enrol.stream, enrol.consumer), concurrency)
}

/** Settles all that is there. */
export async function drained(server: BrokerServer): Promise<void> {
  await using puller = pulling(server)
  while ((await server.unsettled(enrol.stream)) > 0) await (await puller.next()).acknowledge()
}
