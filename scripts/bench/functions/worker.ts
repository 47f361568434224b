import type { StreamTrigger } from '../../../shared/spec/define-function.ts'
import type { FunctionName } from '../../../shared/spec/names.ts'
import { Queue } from './queue.ts'
import { firstOf, perCall, type Scene, type Subject } from './subject.ts'

/** What pulls messages of a stream, each a link that is new to it. */
export function workerSubject(
  { spawn, eventsUrl }: Scene,
  { full, slug }: FunctionName,
  trigger: StreamTrigger,
): Subject {
  return {
    per: 'message',
    trigger: trigger.subject,
    async start(n) {
      await using queue = await Queue.open(eventsUrl, trigger, slug)
      await queue.publish(n, 1)
      // Awaited: the queue has to be there until then.
      return await firstOf(
        () => spawn(full),
        (child) => queue.settled(child),
      )
    },
    async warm(from, calls) {
      await using queue = await Queue.open(eventsUrl, trigger, slug)
      await using child = spawn(full)
      await child.ready
      const fresh = await perCall(child, calls, async (round) => {
        await queue.publish(from + round * calls, calls)
        await queue.settled(child)
      })
      return { fresh }
    },
  }
}
