import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Refusal } from './refusal.ts'

/** Makes a data directory where there is none, and makes sure that it can be written in. */
export async function makeDataDirectory(path: string, shown: string): Promise<void> {
  try {
    await makeFolder(path)
    const probe = join(path, `probe.${process.pid}`)
    await writeFile(probe, '')
    await rm(probe)
  } catch (error) {
    const code = codeOf(error)
    const why = reasons[code] ?? `the system says ${code || error}`
    throw new Refusal(`The data directory ${shown} cannot be used, ${why}: set DATA_DIR to another.`)
  }
}

const reasons: Readonly<Record<string, string>> = {
  EEXIST: 'since a file has its name',
  ENOTDIR: 'since a file stands in its way',
  EACCES: 'since nobody may write there',
  EPERM: 'since nobody may write there',
  EROFS: 'since nobody may write there',
  ENOENT: 'since nothing can be made there',
  ENOSPC: 'since the disk is full',
}

/** Node's own `recursive` never ends where a new folder is not found although its parent is there, as below /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    const parent = dirname(path)
    if (code !== 'ENOENT' || (await exists(parent))) throw error
    await makeFolder(parent)
    await mkdir(path)
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error) => codeOf(error) !== 'ENOENT',
  )

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
