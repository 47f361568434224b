import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'

/** One package as the lock file has it. */
export interface LockedPackage {
  /** `node_modules/ioredis` */
  readonly folder: string
  readonly name: string
  readonly version: string
  /** As its author wrote it: an SPDX expression, mostly. */
  readonly license: string | undefined
  /** Of its archive, as in a script's `integrity`. */
  readonly integrity: string | undefined
  /** Names of what it cannot do without. */
  readonly needs: readonly string[]
  /** Those, and what it uses where it is there. */
  readonly dependencies: readonly string[]
}

export type Lock = ReadonlyMap<string, LockedPackage>

const names = v.optional(v.record(v.string(), v.string()), {})

const lockFile = v.object({
  packages: v.record(
    v.string(),
    v.object({
      version: v.optional(v.string(), ''),
      license: v.optional(v.string()),
      integrity: v.optional(v.string()),
      dependencies: names,
      optionalDependencies: names,
      peerDependencies: names,
    }),
  ),
})

/** All packages of package-lock.json, by their folders. */
export async function readLock(root: string): Promise<Lock> {
  const { packages } = v.parse(lockFile, JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')))
  const found = Object.entries(packages).map(([folder, one]): LockedPackage => {
    const asked = { ...one.peerDependencies, ...one.optionalDependencies, ...one.dependencies }
    return {
      folder,
      name: folder.replace(/^.*node_modules\//, ''),
      version: one.version,
      license: one.license,
      integrity: one.integrity,
      needs: Object.keys(one.dependencies),
      dependencies: Object.keys(asked),
    }
  })
  return new Map(found.map((one) => [one.folder, one]))
}

/** @throws Error for a folder that the lock file does not have: then what is installed is not what was locked. */
export function lockedAt(lock: Lock, folder: string): LockedPackage {
  const found = lock.get(folder)
  if (!found) throw new Error(`package-lock.json has no ${folder}`)
  return found
}

/** Which of the folders answers a package's require() of a name, as Node looks for it: beside it, then above. */
export function resolveFrom(from: string, name: string, folders: ReadonlySet<string>): string | undefined {
  for (let at = from; ; at = at.slice(0, at.lastIndexOf('/node_modules/'))) {
    const candidate = `${at}/node_modules/${name}`
    if (folders.has(candidate)) return candidate
    if (!at.includes('/node_modules/')) break
  }
  const top = `node_modules/${name}`
  return folders.has(top) ? top : undefined
}

/** Packages with all that they need, and that these do. */
export function closureOf(lock: Lock, folders: readonly string[]): string[] {
  const all = new Set(lock.keys())
  const found = new Set<string>()
  const queue = [...folders]
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    if (found.has(folder)) continue
    found.add(folder)
    for (const name of lockedAt(lock, folder).needs) {
      const needed = resolveFrom(folder, name, all)
      if (needed === undefined) throw new Error(`package-lock.json has no ${name}, which ${folder} needs`)
      queue.push(needed)
    }
  }
  return [...found].sort()
}
