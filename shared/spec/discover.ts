import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FunctionDeclaration } from './define-function.ts'
import { type FunctionName, functionName } from './names.ts'

export interface DiscoveredFunction {
  readonly name: FunctionName
  /** Absolute path of the function's folder. */
  readonly dir: string
  readonly declaration: FunctionDeclaration
}

/** Every folder `functions/<service>/<function>` that holds a function.ts, in the order of their names. */
export async function discoverFunctions(root: string): Promise<DiscoveredFunction[]> {
  const base = join(root, 'functions')
  const found: DiscoveredFunction[] = []
  for (const entry of await readdir(base, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name !== 'function.ts') continue
    const dir = entry.parentPath
    const full = dir.slice(base.length + 1).replaceAll('\\', '/')
    const module: { default: FunctionDeclaration } = await import(pathToFileURL(join(dir, entry.name)).href)
    found.push({ name: functionName(full), dir, declaration: module.default })
  }
  return found.sort((a, b) => (a.name.full < b.name.full ? -1 : 1))
}
