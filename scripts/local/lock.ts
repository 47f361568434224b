import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { open, readFile, realpath, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './process-table.ts'
import { Refusal } from './refusal.ts'

/**
 * How long a holder is waited for, in milliseconds: one whose npm was killed hears of that, drains and stops its engines
 * before it lets go.
 */
const patience = 5000

/**
 * Holds a data directory for this process alone. The kernel lets go of it however the process ends.
 *
 * @param shown the directory, as its user calls it
 * @throws Refusal where another start goes on to hold it
 */
export async function lockDirectory(
  dataDir: string,
  shown: string,
  signal?: AbortSignal,
): Promise<AsyncDisposable> {
  const path = await realpath(dataDir)
  const hold = process.platform === 'linux' ? abstractSocket : pidFile
  for (const began = performance.now(); ; await sleep(100, undefined, { signal })) {
    const held = await hold(path)
    if (held) return held
    if (performance.now() - began > patience)
      throw new Refusal(
        `Another start uses the data directory ${shown}: stop it, or set DATA_DIR to another directory.`,
      )
  }
}

async function abstractSocket(path: string): Promise<AsyncDisposable | undefined> {
  const server = createServer((socket) => socket.destroy())
  server.unref()
  server.listen(`\0registrar-${createHash('sha256').update(path).digest('hex')}`)
  try {
    await once(server, 'listening')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    return undefined
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function pidFile(path: string): Promise<AsyncDisposable | undefined> {
  const file = join(path, 'lock')
  for (let attempt = 0; ; attempt++) {
    try {
      const handle = await open(file, 'wx', 0o600)
      await handle.writeFile(String(process.pid))
      await handle.close()
      return { [Symbol.asyncDispose]: () => rm(file, { force: true }) }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      const holder = Number(await readFile(file, 'utf8').catch(() => ''))
      if (attempt > 0 || (holder > 0 && isAlive(holder))) return undefined
      await rm(file, { force: true })
    }
  }
}
