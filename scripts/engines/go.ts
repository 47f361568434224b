import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../local/process-table.ts'
import { executable, onPath } from './find.ts'

/** Go's compiler, where there is one. */
export function findGo(): string | undefined {
  const usual = '/usr/local/go/bin/go'
  return onPath('go') ?? (executable(usual) ? usual : undefined)
}

/**
 * A program that is built once. It lies in the user's cache folder rather than in node_modules, which `npm ci` empties:
 * such a build takes minutes.
 *
 * @param name of the program, and a name of all that it is made of
 * @param build makes it as the file that it is given
 * @returns its path
 */
export async function builtOnce(
  [name, version]: readonly [name: string, version: string],
  build: (file: string) => Promise<unknown>,
): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  const binary = join(cache, 'registrar', name, version)
  if (executable(binary)) return binary
  await mkdir(dirname(binary), { recursive: true })
  await using _lock = await lock(`${binary}.lock`)
  if (executable(binary)) return binary
  const fresh = `${binary}.${randomBytes(4).toString('hex')}`
  try {
    await build(fresh)
    await rename(fresh, binary)
  } finally {
    await rm(fresh, { force: true })
  }
  return binary
}

/** Two test files at once build it once. A lock whose process is no more is taken over. */
async function lock(file: string): Promise<AsyncDisposable> {
  for (;;) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(String(process.pid))
      await handle.close()
      return { [Symbol.asyncDispose]: () => rm(file, { force: true }) }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const holder = Number(await readFile(file, 'utf8').catch(() => ''))
    if (holder > 0 && !isAlive(holder)) await rm(file, { force: true })
    await sleep(200)
  }
}
