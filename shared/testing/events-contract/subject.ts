import type { Provisioner } from '../../provision/provisioner.ts'
import type { Events } from '../../resource/events.ts'
import type { DeadLetters } from '../../worker/dead-letters.ts'
import type { Exhausted } from '../../worker/exhausted.ts'
import type { Inbox } from '../../worker/inbox.ts'

/** One message of the dead letter stream. */
export interface Buried {
  readonly payload: Uint8Array
  readonly reason: string
  readonly stream: string
  /** Where it would have to be sent again. */
  readonly subject: string
  readonly traceparent: string
  /** Who gave up. */
  readonly consumer: string
}

/** A broker that nobody else uses, which the tests may stop and kill. Each call gives a connection of its own. */
export interface BrokerServer extends AsyncDisposable {
  /** Streams and consumers as the initializer makes them. */
  provisioner(maxAckPending: number): Provisioner & AsyncDisposable
  events(): Events & AsyncDisposable
  inbox(stream: string, consumer: string): Inbox & AsyncDisposable
  deadLetters(consumer: string): DeadLetters & AsyncDisposable
  exhausted(consumers: readonly string[]): Exhausted & AsyncDisposable
  /** A sweeper takes what is told of a consumer's exhausted messages, and dies. */
  loseAdvisories(consumer: string): Promise<void>
  /** Publishes what no `Events` would. */
  publish(subject: string, payload: Uint8Array): Promise<void>
  /** How many messages of a stream are not settled. */
  unsettled(stream: string): Promise<number>
  buried(): Promise<readonly Buried[]>
  pause(): void
  resume(): void
  /** Kills it and starts it again, at its address and with what it kept. */
  bounce(): Promise<void>
}

/** What the contract needs to know of an adapter. */
export interface EventsSubject {
  start(): Promise<BrokerServer>
}
