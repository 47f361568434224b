import type { Delivery } from './inbox.ts'

/** Under the consumer's ack_wait, so that work that takes longer is not delivered again; in milliseconds. */
const every = 2000

/** Tells the consumer that a message is not forgotten, be it handled, held, or waiting for its turn. */
export async function inProgress(delivery: Delivery, work: () => Promise<void>): Promise<void> {
  const progress = setInterval(() => delivery.working(), every)
  try {
    await work()
  } finally {
    clearInterval(progress)
  }
}
