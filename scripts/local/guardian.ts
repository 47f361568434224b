import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { processStat } from './process-table.ts'

/**
 * Sees to it that nothing that the runner started outlives it, SIGKILL of the runner included: a shell in a session of
 * its own reads what is to be stopped and stops it when the runner is gone. When the shell dies, another takes over.
 */
export class Guardian implements AsyncDisposable {
  /** For the environment of every process of this run. */
  readonly mark: Readonly<Record<string, string>>
  readonly #known = new Map<number, string>()
  #shell: ChildProcess
  #closing = false

  constructor() {
    this.mark = { REGISTRAR_RUN: randomBytes(12).toString('hex') }
    this.#shell = this.#start()
  }

  get pid(): number | undefined {
    return this.#shell.pid
  }

  /** Takes a child that was just spawned into its care, until it exits. */
  watch(child: ChildProcess, stop: NodeJS.Signals = 'SIGTERM'): void {
    const { pid } = child
    if (pid === undefined) return
    const line = `add ${pid} ${processStat(pid)?.start ?? '-'} ${stop.slice(3)}\n`
    this.#known.set(pid, line)
    this.#shell.stdin?.write(line)
    child.once('exit', () => {
      this.#known.delete(pid)
      this.#shell.stdin?.write(`del ${pid}\n`)
    })
  }

  #start(): ChildProcess {
    const script = join(import.meta.dirname, 'guardian.sh')
    const { PATH = '/usr/bin:/bin' } = process.env
    const shell = spawn('/bin/sh', [script, this.mark['REGISTRAR_RUN'] ?? ''], {
      cwd: '/',
      detached: true,
      env: { PATH },
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    shell.stdin?.on('error', () => {})
    shell.once('error', () => {})
    shell.once('exit', () => {
      if (!this.#closing) this.#shell = this.#start()
    })
    for (const line of this.#known.values()) shell.stdin?.write(line)
    return shell
  }

  /** Lets go: what still runs is stopped by the shell, which then ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true
    const shell = this.#shell
    const gone = new Promise((resolve) => shell.once('exit', resolve))
    shell.stdin?.end()
    if (shell.exitCode === null && shell.signalCode === null) await Promise.race([gone, sleep(5000)])
  }
}
