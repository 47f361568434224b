import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { open, readFile, realpath, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { isAlive } from './process-table.ts'
import { Refusal } from './refusal.ts'

/** Holds a data directory for this process alone. The kernel lets go of it however the process ends. */
export async function lockDirectory(dataDir: string, shown: string): Promise<AsyncDisposable> {
  const path = await realpath(dataDir)
  return process.platform === 'linux' ? abstractSocket(path, shown) : pidFile(path, shown)
}

const locked = (shown: string): Refusal =>
  new Refusal(
    `Another start uses the data directory ${shown}: stop it, or set DATA_DIR to another directory.`,
  )

async function abstractSocket(path: string, shown: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.destroy())
  server.unref()
  server.listen(`\0registrar-${createHash('sha256').update(path).digest('hex')}`)
  try {
    await once(server, 'listening')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    throw locked(shown)
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function pidFile(path: string, shown: string): Promise<AsyncDisposable> {
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
      if (attempt > 0 || (holder > 0 && isAlive(holder))) throw locked(shown)
      await rm(file, { force: true })
    }
  }
}
