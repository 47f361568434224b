import { commandLine, isAlive, processStat } from './process-table.ts'

interface Owner {
  readonly pid: number
  readonly start: string | undefined
  readonly title: string
}

/**
 * Calls back once, with its title, when one dies without telling us for whom we run: the npm above us, or a process that
 * the environment names.
 */
export function onOwnerDeath(
  env: NodeJS.ProcessEnv,
  named: readonly number[],
  gone: (title: string) => void,
): Disposable {
  const above = env['npm_lifecycle_event'] === undefined ? [] : upToNpm()
  const owners = [...above, ...named.map((pid) => owner(pid, 'its owner'))]
  const timer = setInterval(() => {
    const dead = owners.find(({ pid, start }) => !isAlive(pid, start))
    if (!dead) return
    clearInterval(timer)
    gone(dead.title)
  }, 250)
  timer.unref()
  if (owners.length === 0) clearInterval(timer)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

const owner = (pid: number, title: string): Owner => ({ pid, start: processStat(pid)?.start, title })

/** npm runs scripts below a shell, so the parent's death is not enough to see npm's. */
function upToNpm(): Owner[] {
  const found: Owner[] = []
  for (let pid = process.ppid; pid > 1 && found.length < 4; ) {
    found.push(owner(pid, 'npm'))
    if (/\bnpm\b/.test(commandLine(pid))) return found
    const stat = processStat(pid)
    if (!stat) break
    pid = stat.parent
  }
  // Another package manager, or a system without /proc: the parent alone.
  return found.slice(0, 1)
}
