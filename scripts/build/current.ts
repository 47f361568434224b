import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The folder of a tree's bundles. */
export const bundlesOf = (root: string): string => join(root, 'dist')

/**
 * Arguments of Node that start a function's bundle. The flags give young objects a space of one size: with less, V8
 * collects five times before the first request is served; with more, a busy function takes twice the memory.
 */
export const bundleArguments = (bundles: string, full: string): string[] => [
  '--min-semi-space-size=8',
  '--max-semi-space-size=8',
  // A bundle's dynamic imports are Node's own; that this is experimental is no line for a log of JSON.
  '--disable-warning=ExperimentalWarning',
  join(bundles, 'start.cjs'),
  join(bundles, `${full}.cjs`),
]

/** Builds the bundles of a tree unless they are those of its sources as they are. */
export async function ensureBundles(root: string): Promise<'built' | 'there'> {
  const out = bundlesOf(root)
  const stamp = join(out, 'sources.sha256')
  const now = await hashOf(root)
  if ((await readFile(stamp, 'utf8').catch(() => '')) === now) return 'there'
  // Loaded only when there is something to build: a start should not wait for the bundler.
  const { bundleFunctions } = await import('./bundle.ts')
  await bundleFunctions(root, out)
  await writeFile(stamp, now)
  return 'built'
}

/** Everything that a bundle is made of; the lock file stands for the packages. */
async function hashOf(root: string): Promise<string> {
  const folders = ['functions', 'shared', 'scripts/build', 'scripts/patches']
  const lists = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
        .map(({ parentPath, name }) => join(parentPath, name))
    }),
  )
  const files = [
    ...lists.flat(),
    ...['package-lock.json', 'package.json', 'openapi.json'].map((file) => join(root, file)),
  ].sort()
  const hash = createHash('sha256').update(process.version)
  for (const [i, content] of (
    await Promise.all(files.map((file) => readFile(file).catch(() => 'none')))
  ).entries()) {
    hash.update(`${files[i]?.slice(root.length)}\n`).update(content)
  }
  return hash.digest('hex')
}
