import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Every file and folder below one, by its path: its mode, and a hash of what it holds. */
export async function treeOf(dir: string): Promise<Map<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const told = entries.map(async (entry): Promise<[string, string]> => {
    const path = join(entry.parentPath, entry.name)
    const mode = ((await stat(path)).mode & 0o7777).toString(8)
    // V8 writes a code cache anew, in other bytes, each time.
    const held = entry.isFile() && !path.endsWith('.cache') ? await hash(path) : ''
    return [relative(dir, path), `${mode} ${held}`]
  })
  return new Map((await Promise.all(told)).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What one has that the other has not, or otherwise, a line each. */
export function differences(
  found: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
): string[] {
  return [...new Set([...found.keys(), ...expected.keys()])]
    .filter((path) => found.get(path) !== expected.get(path))
    .map((path) => `${path}: ${found.get(path) ?? 'not there'}, not ${expected.get(path) ?? 'there'}`)
}

async function hash(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
    .slice(0, 16)
}
