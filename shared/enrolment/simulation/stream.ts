import { type LinkMessage, messageId } from '../messages.ts'
import { otherSide, type Side } from '../register.ts'

export type Delivery =
  | { readonly kind: 'mutation'; readonly from: Side; readonly messages: readonly LinkMessage[] }
  | { readonly kind: 'link'; readonly to: Side; readonly message: LinkMessage }

/** JetStream as the protocol may see it at worst: no order, messages twice or much later, a dedupe window, store loss. */
export class Stream {
  waiting: Delivery[] = []
  /** Handed out, not acknowledged, not yet due again. */
  delayed: Delivery[] = []
  private seen = new Set<string>()
  private nonces = 0

  publish(delivery: Delivery, fresh = false): void {
    if (delivery.kind === 'link') {
      const id = messageId(delivery.to, delivery.message, fresh ? String(this.nonces++) : undefined)
      if (this.seen.has(id)) return
      this.seen.add(id)
    }
    this.waiting.push(delivery)
  }

  publishLinks(from: Side, messages: readonly LinkMessage[], fresh = false): void {
    for (const message of messages) this.publish({ kind: 'link', to: otherSide(from), message }, fresh)
  }

  acknowledge(delivery: Delivery): void {
    const index = this.waiting.indexOf(delivery)
    if (index >= 0) this.waiting.splice(index, 1)
  }

  delay(which: number): void {
    if (this.waiting.length > 0) this.delayed.push(...this.waiting.splice(which % this.waiting.length, 1))
  }

  redeliver(): void {
    this.waiting.push(...this.delayed.splice(0))
  }

  /** Gone to the dead letter, while its id is still remembered. */
  discard(which: number): void {
    if (this.waiting.length > 0) this.waiting.splice(which % this.waiting.length, 1)
  }

  endDedupeWindow(): void {
    this.seen.clear()
  }

  wipe(): void {
    this.waiting = []
    this.delayed = []
    this.seen.clear()
  }
}
