import { setTimeout as sleep } from 'node:timers/promises'
import type { Messages } from './messages.ts'
import type { Servers } from './servers/servers.ts'
import { type Snapshot, takeSnapshot } from './snapshot/snapshot.ts'

const every = 400
/** So often in a row: the stores are not looked at in one moment. */
const looks = 3

/** Waits until outboxes and streams are empty; tells whether they came to be so within the time, in milliseconds. */
export async function untilQuiet(
  servers: Servers,
  messages: Messages,
  ms: number,
  told: (left: number) => void = () => {},
): Promise<boolean> {
  const until = performance.now() + ms
  for (let quiet = 0; quiet < looks; await sleep(every)) {
    if (performance.now() > until) return false
    const snapshot = await takeSnapshot(servers.directUrls).catch(() => undefined)
    const left = (snapshot ? leftIn(snapshot) : 1) + messages.held
    told(left)
    quiet = left === 0 ? quiet + 1 : 0
  }
  return true
}

export function leftIn({ students, courses, waiting }: Snapshot): number {
  return students.untold + courses.untold + Object.values(waiting).reduce((sum, count) => sum + count, 0)
}
