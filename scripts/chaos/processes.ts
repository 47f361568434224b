import { readFileSync } from 'node:fs'
import { childrenOf } from '../local/process-table.ts'

/** A process of one function, as /proc has it. */
export interface FunctionPid {
  readonly pid: number
  /** `students/get` */
  readonly name: string
}

/** What a process is for, as far as faults choose by it. */
export type Role = 'function' | 'worker' | 'sweeper'

export function roleOf(name: string): Role | undefined {
  if (/\/(fan-out|enrol)$/.test(name)) return 'worker'
  if (name.endsWith('/sweep')) return 'sweeper'
  return name.startsWith('platform/') ? undefined : 'function'
}

/** The functions that a run has as processes now. */
export function functionsOf(runner: number): FunctionPid[] {
  return childrenOf(runner).flatMap((pid) => {
    // The script of a process that is only starting, then its title.
    const [name] =
      /(students|courses|platform)\/[a-z-]+(?=(\.cjs)?\0*$)/.exec(read(`/proc/${pid}/cmdline`)) ?? []
    return name === undefined ? [] : [{ pid, name }]
  })
}

/** False when it is not there any more. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
