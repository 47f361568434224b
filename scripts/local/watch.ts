import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const folders = ['functions', 'shared', 'proto']

/**
 * The sources of a tree, looked at when somebody asks: an edit is seen by the very next request, however an editor saves
 * (the system's own watchers lose a file that is replaced by another of its name).
 */
export class Sources {
  readonly #root: string
  #seen: ReadonlyMap<string, string>

  constructor(root: string) {
    this.#root = root
    this.#seen = this.#look()
  }

  /** A file that has changed, come or gone since the last call, if there is any. */
  changed(): string | undefined {
    const before = this.#seen
    const now = this.#look()
    this.#seen = now
    for (const [file, state] of now) if (before.get(file) !== state) return file
    return [...before.keys()].find((file) => !now.has(file))
  }

  #look(): ReadonlyMap<string, string> {
    const found = new Map<string, string>()
    for (const folder of folders) {
      for (const file of list(join(this.#root, folder))) {
        if (!file.endsWith('.test.ts') && !file.endsWith('~'))
          found.set(`${folder}/${file}`, stateOf(join(this.#root, folder, file)))
      }
    }
    return found
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
}

/** Of a file that is just being replaced: nothing, which is a change. */
function stateOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat?.isFile() ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : ''
}
