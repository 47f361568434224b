import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, processStat } from './process-table.ts'

interface Entry {
  readonly pid: number
  readonly start: string
  readonly stop: NodeJS.Signals
}

/** Which engines this data directory has running, kept for a start that follows a kill. */
export class Ledger {
  readonly #file: string
  #entries: Record<string, Entry> = {}

  constructor(dataDir: string) {
    this.#file = join(dataDir, 'engines.json')
  }

  /** At once, since the next moment may be the last. */
  add(name: string, pid: number, stop: NodeJS.Signals): void {
    this.#entries[name] = { pid, start: processStat(pid)?.start ?? '-', stop }
    writeFileSync(this.#file, JSON.stringify(this.#entries), { mode: 0o600 })
  }

  /** Waits for the engines of a run that was killed: its guardian is stopping them; else this does. */
  async settle(): Promise<void> {
    const left = Object.values(this.#read()).filter(
      ({ start }) => start !== '-' || process.platform !== 'linux',
    )
    const alive = (): Entry[] => left.filter(({ pid, start }) => isAlive(pid, start))
    const until = async (ms: number): Promise<boolean> => {
      for (const end = Date.now() + ms; Date.now() < end; await sleep(20))
        if (alive().length === 0) return true
      return alive().length === 0
    }
    if (await until(1500)) return
    for (const { pid, stop } of alive()) kill(pid, stop)
    if (await until(4000)) return
    for (const { pid } of alive()) kill(pid, 'SIGKILL')
    await until(2000)
  }

  #read(): Record<string, Entry> {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8'))
    } catch {
      return {}
    }
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone meanwhile.
  }
}
