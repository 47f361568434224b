import { chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import * as v from 'valibot'
import { type DiscoveredFunction, discoverFunctions } from '../../shared/spec/discover.ts'
import { type Contents, contentsFile, type FunctionContents } from '../build/contents.ts'
import { readDockerfile } from './dockerfile.ts'
import { layEvents } from './events.ts'
import { licenseList } from './licenses.ts'
import { eventsSlug } from './name.ts'
import { type Lock, lockedAt, readLock } from './packages.ts'
import { bill } from './sbom.ts'
import { versionOf } from './version.ts'
import { warmUp } from './warm-up.ts'

/** Where a function's bundle is in every image: an ENTRYPOINT in exec form cannot name each its own. */
export const bundleInImage = 'function/main'

export const imagesOf = (bundles: string): string => join(bundles, 'images')

/** What every build takes from beside the functions' folders. */
const shared = ['Dockerfile', 'finish.cjs', 'on-call.cjs']

interface Source {
  readonly root: string
  readonly bundles: string
  readonly contents: Contents
  readonly lock: Lock
  readonly version: string
  readonly base: string
}

/**
 * The context of every image's build, `<bundles>/images`: the Dockerfile, and a folder for each function with no more
 * than that function needs.
 */
export async function layContexts(root: string, bundles: string): Promise<readonly DiscoveredFunction[]> {
  const functions = await discoverFunctions(root)
  const source: Source = {
    root,
    bundles,
    contents: v.parse(contentsSchema, JSON.parse(await readFile(join(bundles, contentsFile), 'utf8'))),
    lock: await readLock(root),
    version: await versionOf(root),
    base: (await readDockerfile()).argument('BASE'),
  }
  const [out, fresh] = [imagesOf(bundles), `${imagesOf(bundles)}.${process.pid}`]
  await rm(fresh, { recursive: true, force: true })
  for (const found of functions) await layFunction(source, found, join(fresh, found.name.slug))
  const events = join(fresh, eventsSlug)
  await layLicenses(source, eventsSlug, events, await layEvents(source, functions, join(events, 'app')))
  for (const file of shared) await cp(join(import.meta.dirname, file), join(fresh, file))
  await openToAll(fresh)
  await rm(out, { recursive: true, force: true })
  await rename(fresh, out)
  return functions
}

async function layFunction(
  source: Source,
  { name, declaration }: DiscoveredFunction,
  dir: string,
): Promise<void> {
  const { bundles, contents } = source
  const own = contents[name.full]
  if (!own) throw new Error(`${contentsFile} has no ${name.full}`)
  const app = join(dir, 'app')
  const main = join(app, `${bundleInImage}.cjs`)
  for (const [from, to] of [
    ['start.cjs', join(app, 'start.cjs')],
    [`${name.full}.cjs`, main],
    ...[...own.scripts, ...own.migrations].map((path) => [path, join(app, path)] as const),
    ...own.assets.map((path) => {
      const asset = join('assets', basename(path))
      return [join(name.service, asset), join(dirname(main), asset)] as const
    }),
  ] as const)
    await cp(join(bundles, from), to, { recursive: true })
  await layLicenses(source, name.slug, dir, own.packages)
  await writeFile(join(dir, 'warm.json'), `${JSON.stringify(warmUp(declaration), null, 2)}\n`)
}

/** What is in an image, and under which licences. */
async function layLicenses(
  { root, lock, version, base }: Source,
  slug: string,
  dir: string,
  folders: readonly string[],
): Promise<void> {
  const packages = folders.map((folder) => lockedAt(lock, folder))
  await mkdir(join(dir, 'licenses'), { recursive: true })
  await writeFile(join(dir, 'licenses/sbom.cdx.json'), bill({ root, slug, version, base, packages }))
  await writeFile(join(dir, 'licenses/licenses.txt'), licenseList(root, packages))
}

/** Whatever the umask was: another user reads it in the image. */
async function openToAll(dir: string): Promise<void> {
  await chmod(dir, 0o755)
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
}

const strings = v.array(v.string())

const contentsSchema: v.GenericSchema<Contents> = v.record(
  v.string(),
  v.object({
    scripts: strings,
    packages: strings,
    migrations: strings,
    assets: strings,
  }) satisfies v.GenericSchema<FunctionContents>,
)
