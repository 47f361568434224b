import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import type { Stage } from './stage.ts'

/** Where and when a run took place. */
export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly memory: string
  readonly system: string
  readonly node: string
  readonly engines: string
  /** One minute's load average before the run: what else the machine had to do. */
  readonly load: number
}

export function machineOf({ versions }: Pick<Stage, 'versions'>, load: number): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    system: systemName(),
    node: process.version,
    engines: Object.entries(versions)
      .map((parts) => parts.join(' '))
      .join(', '),
    load,
  }
}

export const currentLoad = (): number => loadavg()[0] ?? 0

function systemName(): string {
  try {
    const name = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
    if (name) return `${name}, ${type()} ${release()}`
  } catch {
    // Not a Linux.
  }
  return `${type()} ${release()}`
}
