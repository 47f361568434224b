import { readdirSync, readFileSync } from 'node:fs'

/** What /proc tells of a process; on systems without it, nothing. */
export interface ProcessStat {
  readonly state: string
  readonly parent: number
  /** In clock ticks since boot: with the pid it names a process for good. */
  readonly start: string
  /** On its way out, though maybe with its files still open. */
  readonly exiting: boolean
}

/** PF_EXITING of the kernel. */
const exitingFlag = 4

/** Of a process, or of one of its threads: `1/task/1`. */
export function processStat(pid: number | string): ProcessStat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const state = fields[0] ?? ''
    const exiting = 'ZX'.includes(state) || (Number(fields[6]) & exitingFlag) !== 0
    return { state, parent: Number(fields[1]), start: fields[19] ?? '', exiting }
  } catch {
    return undefined
  }
}

/** A process and all below it: an engine may be many. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)]
}

export function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
    return children.split(' ').flatMap((child) => (child === '' ? [] : [Number(child)]))
  } catch {
    return []
  }
}

export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

const hasProc = ((): boolean => {
  try {
    return readdirSync('/proc/self').length > 0
  } catch {
    return false
  }
})()

/** Runs, and is not a zombie; with `start`, is also the same process as then. */
export function isAlive(pid: number, start?: string): boolean {
  if (hasProc) {
    const stat = processStat(pid)
    return (
      stat !== undefined && !'ZX'.includes(stat.state) && (!start || start === '-' || stat.start === start)
    )
  }
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
