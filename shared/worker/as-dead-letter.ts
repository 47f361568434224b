import { Failure, unavailable } from '../errors.ts'
import type { UndecodableMessage } from '../messages/undecodable-message.ts'
import { observeDeadLetter } from '../metrics.ts'
import type { Context } from '../middleware/middleware.ts'

/**
 * Buries a message, and only then says and counts that it is a dead letter.
 * @param kind the label of the metric
 * @throws Failure `unavailable` when it could not be kept: the message must come again
 */
export async function asDeadLetter(
  context: Context,
  failure: Failure,
  kind: string,
  bury: () => Promise<void>,
): Promise<void> {
  try {
    await bury()
  } catch (cause) {
    throw unavailable('the dead letter stream', cause)
  }
  context.outcome = 'dead_letter'
  context.failure = failure
  observeDeadLetter(context.function, kind)
}

/** Of who sent it, not of ours. */
export const undecodable = (cause: UndecodableMessage): Failure => new Failure('malformed', { cause })
