import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '../../scripts/local/process-table.ts'

const prefix = 'registrar-test-'

/**
 * The folder of a test run, named after its process: all that its tests make lies in it and goes with it. Of runs that
 * were killed before they could remove theirs, this does.
 */
export async function testFolder(base = tmpdir()): Promise<string> {
  const stale = (await readdir(base)).filter((name) => {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]
    return pid !== undefined && !isAlive(Number(pid))
  })
  await Promise.all(stale.map((name) => removeFolder(join(base, name))))
  return mkdtemp(join(base, `${prefix}${process.pid}-`))
}

/** What cannot be removed yet, because something still writes there, is left to the next run. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 }).catch(() => {})
}
