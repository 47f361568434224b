import { commandLine, isAlive, processStat } from './process-table.ts'

interface Ancestor {
  readonly pid: number
  readonly start: string | undefined
}

/**
 * Calls back once when the npm that runs us dies without telling us. npm runs scripts below a shell, so the parent's
 * death is not enough to see npm's.
 */
export function onNpmDeath(env: NodeJS.ProcessEnv, gone: () => void): Disposable {
  const ancestors = env['npm_lifecycle_event'] === undefined ? [] : upToNpm()
  const timer = setInterval(() => {
    if (ancestors.every(({ pid, start }) => isAlive(pid, start))) return
    clearInterval(timer)
    gone()
  }, 250)
  timer.unref()
  if (ancestors.length === 0) clearInterval(timer)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

function upToNpm(): Ancestor[] {
  const found: Ancestor[] = []
  for (let pid = process.ppid; pid > 1 && found.length < 4; ) {
    const stat = processStat(pid)
    found.push({ pid, start: stat?.start })
    if (/\bnpm\b/.test(commandLine(pid))) return found
    if (!stat) break
    pid = stat.parent
  }
  // Another package manager, or a system without /proc: the parent alone.
  return found.slice(0, 1)
}
