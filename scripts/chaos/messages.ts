import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, headers, type MsgHdrs, type NatsConnection } from 'nats'
import { natsAddress } from '../../shared/adapters/nats-address.ts'
import { decodeLink } from '../../shared/messages/link-codec.ts'
import { streams } from '../../shared/messages/streams.ts'
import type { Random } from './random.ts'

export interface Message {
  readonly subject: string
  readonly data: Uint8Array
  readonly traceparent: string
}

const subjects = Object.values(streams).flatMap((stream) => stream.subjects)
/** Messages remembered, for those that are to come again late. */
const most = 3000
const own = 'chaos:'
/** Longest that a message is offered to a broker that does not take it, in milliseconds: no fault lasts as long. */
const patience = 180_000

/** A second pair of hands at the broker: sees every message, and publishes them again. */
export class Messages implements AsyncDisposable {
  readonly #connection: NatsConnection
  readonly #seen: Message[] = []
  readonly #compensations = new Set<string>()
  /** Taken out and not back yet. */
  #held = 0

  private constructor(connection: NatsConnection) {
    this.#connection = connection
    for (const subject of subjects)
      connection.subscribe(subject, {
        callback: (error, { data, headers: carried }) => {
          if (!error) this.#see({ subject, data, traceparent: traceOf(carried) }, idOf(carried))
        },
      })
  }

  static async connect(url: string): Promise<Messages> {
    const endless = { maxReconnectAttempts: -1, reconnectTimeWait: 100, pingInterval: 3000, timeout: 5000 }
    return new Messages(await connect({ ...natsAddress(url), ...endless }))
  }

  get held(): number {
    return this.#held
  }

  /** Links that one side took back with a reason. */
  get compensations(): number {
    return this.#compensations.size
  }

  /** The last ones, or any from long ago. */
  remembered(when: 'last' | 'any', count: number, random: Random): Message[] {
    return when === 'last' ? this.#seen.slice(-count) : random.some(this.#seen, count)
  }

  /** What was before must not come again: the resync after a lost store would be undone by it. */
  forget(): void {
    this.#seen.length = 0
  }

  /** Under a fresh id, so that the stream takes it; until it is taken. */
  async publish({ subject, data, traceparent }: Message): Promise<void> {
    for (const end = performance.now() + patience; ; ) {
      try {
        const carried = headers()
        if (traceparent !== '') carried.set('traceparent', traceparent)
        const jetstream = this.#connection.jetstream({ timeout: 1000 })
        await jetstream.publish(subject, data, { headers: carried, msgID: own + randomUUID() })
        return
      } catch (error) {
        if (this.#connection.isClosed() || performance.now() > end) throw error
        await sleep(250)
      }
    }
  }

  /** Takes out what lies in a stream; whoever calls gives every one back. */
  async takeOut(stream: string, count: number): Promise<Message[]> {
    const manager = await this.#connection.jetstreamManager({ checkAPI: false, timeout: 1000 })
    const { state } = await manager.streams.info(stream)
    const taken: Message[] = []
    for (let seq = state.first_seq; seq <= state.last_seq && taken.length < count; seq++) {
      const message = await manager.streams.getMessage(stream, { seq }).catch(() => undefined)
      if (!message || idOf(message.header).startsWith(own)) continue
      this.#held++
      taken.push({ subject: message.subject, data: message.data, traceparent: traceOf(message.header) })
      // Whether it was deleted or not: given back, it is there again, or twice.
      await manager.streams.deleteMessage(stream, seq, false).catch(() => false)
    }
    return taken
  }

  async giveBack(message: Message): Promise<void> {
    await this.publish(message)
    this.#held--
  }

  async setFull(full: boolean): Promise<void> {
    const manager = await this.#connection.jetstreamManager({ checkAPI: false, timeout: 2000 })
    for (const name of Object.keys(streams)) {
      const { config } = await manager.streams.info(name)
      const limits = full ? { max_bytes: 1, discard: 'new' } : { max_bytes: -1, discard: 'old' }
      await manager.streams.update(name, { ...config, ...(limits as Partial<typeof config>) })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close()
  }

  #see(message: Message, id: string): void {
    if (id.startsWith(own)) return
    this.#seen.push(message)
    if (this.#seen.length > most) this.#seen.splice(0, most / 10)
    if (!message.subject.endsWith('.modified')) return
    const { student_id, course_id, register } = decodeLink(message.data)
    if (register.reason) this.#compensations.add(`${student_id} ${course_id} ${register.ts}`)
  }
}

const idOf = (carried: MsgHdrs | undefined): string => carried?.get('Nats-Msg-Id') ?? ''
const traceOf = (carried: MsgHdrs | undefined): string => carried?.get('traceparent') ?? ''
