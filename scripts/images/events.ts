import { cp, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import { packageOf } from '../build/contents.ts'
import { closureOf, type Lock } from './packages.ts'

const framework = 'node_modules/@google-cloud/functions-framework/build/src/main.js'
const registration = 'shared/hosts/functions-framework.ts'

/** As the Dockerfile starts it; the container's argument `--target=<slug>` says which function it is. */
export const eventsArguments = [`/app/${framework}`, `--source=${registration}`] as const

/**
 * Lays the sources that the framework loads, and the packages that these do, into a folder. They are not bundled: the
 * framework finds functions in a registry of its own, which a bundle would have a second one of.
 * @returns the packages' folders.
 */
export async function layEvents(
  { root, lock }: { readonly root: string; readonly lock: Lock },
  functions: readonly DiscoveredFunction[],
  app: string,
): Promise<string[]> {
  const files = await reachedFrom(root, [framework, registration, ...functions.flatMap(entriesOf)])
  // The framework hides some of its imports from bundlers: what a package says that it needs is there as well.
  const packages = closureOf(lock, files.flatMap(packageOf))
  for (const file of files.filter((one) => packageOf(one).length === 0)) await put(root, file, app)
  for (const folder of packages) await put(root, folder, app, (path) => isRun(path.slice(folder.length)))
  await writeFile(join(app, 'package.json'), '{ "type": "module" }\n')
  return packages
}

/** Every declaration is read; of what no event drives that is all. */
function entriesOf({ name, declaration }: DiscoveredFunction): string[] {
  const folder = `functions/${name.full}`
  return declaration.trigger.kind === 'stream'
    ? [`${folder}/function.ts`, `${folder}/handler.ts`, `functions/${name.service}/wiring.ts`]
    : [`${folder}/function.ts`]
}

/** What these files import, and what that does. */
async function reachedFrom(root: string, entries: readonly string[]): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...new Set(entries)],
    outdir: 'unwritten',
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  return Object.keys(metafile.inputs)
}

/** Neither types, maps and texts, nor packages within a package, which are there by themselves where they are needed. */
const isRun = (path: string): boolean => !/\.d\.[cm]?ts$|\.map$|\.md$|\/node_modules(\/|$)/.test(path)

async function put(root: string, path: string, app: string, keep?: (path: string) => boolean): Promise<void> {
  await mkdir(dirname(join(app, path)), { recursive: true })
  const filter = (from: string): boolean => keep?.(from.slice(root.length + 1)) ?? true
  await cp(join(root, path), join(app, path), { recursive: true, filter })
}
