import { readdirSync } from 'node:fs'
import { familyOf, processStat } from '../../scripts/local/process-table.ts'

/**
 * Stops a process and all below it: a server may serve in its children. Returns when each of their threads stands still:
 * a signal is only on its way when kill returns, and a thread on another processor answers one more request meanwhile.
 *
 * @throws Error when they do not stand still within five seconds
 */
export function pause(pid: number): void {
  const all = familyOf(pid)
  signalAll(all, 'SIGSTOP')
  const until = performance.now() + 5000
  while (!all.every(standsStill)) {
    if (performance.now() > until) throw new Error(`process ${pid} does not stop at SIGSTOP`)
    Atomics.wait(clock, 0, 0, 1)
  }
}

export function resume(pid: number): void {
  signalAll(familyOf(pid), 'SIGCONT')
}

/** A child may have ended since it was listed. */
function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
}

const clock = new Int32Array(new SharedArrayBuffer(4))

/** True too when it has ended: nothing of it runs. */
function standsStill(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) =>
      'TtZX'.includes(processStat(`${pid}/task/${thread}`)?.state ?? 'X'),
    )
  } catch {
    return true
  }
}
