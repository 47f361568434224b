import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { discoverFunctions } from '../shared/spec/discover.ts'
import { consumers } from './generate/consumers.ts'
import { kong } from './generate/kong.ts'
import { openapi } from './generate/openapi.ts'

/** Everything that derives from the declarations, by its path. */
export async function generated(root: string): Promise<ReadonlyMap<string, string>> {
  const functions = await discoverFunctions(root)
  return new Map([
    ['kong/kong.yml', await kong(root, functions)],
    ['openapi.json', await openapi(root, functions)],
    ['shared/generated/consumers.json', consumers(functions)],
  ])
}

/** Writes what differs; returns the paths of what did. */
export async function generate(root: string, write: boolean): Promise<string[]> {
  const changed: string[] = []
  for (const [path, content] of await generated(root)) {
    const file = join(root, path)
    const current = await readFile(file, 'utf8').catch(() => undefined)
    if (current === content) continue
    changed.push(path)
    if (write) await writeFile(file, content)
  }
  return changed
}

if (import.meta.main) {
  const check = process.argv.includes('--check')
  const changed = await generate(join(import.meta.dirname, '..'), !check)
  for (const path of changed) console.log(`${check ? 'differs' : 'wrote'}: ${path}`)
  if (check && changed.length > 0) process.exitCode = 1
}
