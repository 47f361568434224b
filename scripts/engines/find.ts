import { accessSync, constants, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/** The folder of one of this folder's packages, when it is installed. */
export function packageDir(name: string): string | undefined {
  try {
    return dirname(require.resolve(`${name}/package.json`))
  } catch (error) {
    // A package with `exports` does not export its package.json: its entry is one folder below.
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') return undefined
    return require.resolve
      .paths(name)
      ?.map((path) => join(path, name))
      .find((path) => executable(path))
  }
}

export function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export function onPath(command: string): string | undefined {
  const dirs = (process.env['PATH'] ?? '').split(delimiter).filter((dir) => dir !== '')
  return dirs.map((dir) => join(dir, command)).find(executable)
}

/** Folders that hold initdb and postgres, the best first. */
export function systemPostgres(): string | undefined {
  const initdb = onPath('initdb')
  if (initdb && executable(join(dirname(initdb), 'postgres'))) return dirname(initdb)
  const base = '/usr/lib/postgresql'
  const versions = list(base).sort((a, b) => Number(b) - Number(a))
  return versions.map((version) => join(base, version, 'bin')).find((bin) => executable(join(bin, 'initdb')))
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
