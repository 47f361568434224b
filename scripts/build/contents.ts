import { join, relative } from 'node:path'
import type { Metafile } from 'esbuild'
import type { DiscoveredFunction } from '../../shared/spec/discover.ts'
import { ownScripts, scriptOf } from './packages.ts'

/** Below the bundles' folder. */
export const contentsFile = 'contents.json'

/** What a function's process may load, and so what its image holds. Paths are below the tree's root, or below `out`. */
export interface FunctionContents {
  /** `packages/nats.cjs`: the drivers that its bundle may require, below `out`. */
  readonly scripts: readonly string[]
  /** `node_modules/ioredis`: every package of which something is in its bundle, its drivers or its assets. */
  readonly packages: readonly string[]
  /** `students/migrations`: below `out`, read by what applies them. */
  readonly migrations: readonly string[]
  /** Read from the folder `assets` beside the bundle. */
  readonly assets: readonly string[]
}

/** By the function's full name. */
export type Contents = Readonly<Record<string, FunctionContents>>

export interface Built {
  readonly root: string
  readonly out: string
  readonly functions: readonly DiscoveredFunction[]
  /** Of the functions' bundles, and of the drivers' scripts. */
  readonly bundles: Metafile
  readonly packages: Metafile
  /** Below `out`. */
  readonly migrations: readonly string[]
  readonly assets: ReadonlyMap<string, readonly string[]>
}

/** Who reads the folders of migrations at run time, where esbuild cannot see it. */
const readsMigrations = 'shared/adapters/postgres-migrations.ts'

/** As JSON, from what the bundler says that it did: nobody lists by hand what is in a bundle. */
export function contentsOf(built: Built): string {
  const { functions } = built
  return `${JSON.stringify(Object.fromEntries(functions.map(({ name }) => [name.full, ofFunction(name.full, built)])), null, 2)}\n`
}

function ofFunction(
  full: string,
  { root, out, bundles, packages, migrations, assets }: Built,
): FunctionContents {
  const outputOf = (file: string, { outputs }: Metafile): Output => {
    const found = outputs[relative(root, join(out, file))]
    if (!found) throw new Error(`the bundler did not tell what is in ${file}`)
    return found
  }
  const bundle = outputOf(`${full}.cjs`, bundles)
  const required = new Set(bundle.imports.map(({ path }) => path))
  const scripts = ownScripts.map(scriptOf).filter((script) => required.has(`../${script}`))
  const own = (assets.get(full) ?? []).map((file) => relative(root, file))
  const inputs = [bundle, ...scripts.map((script) => outputOf(script, packages))].flatMap(inputsOf)
  return {
    scripts,
    packages: [...new Set([...inputs, ...own].flatMap(packageOf))].sort(),
    migrations: inputs.includes(readsMigrations) ? migrations : [],
    assets: own,
  }
}

type Output = Metafile['outputs'][string]

/** The files of which something is left. */
function inputsOf({ inputs }: Output): string[] {
  return Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []))
}

/** The folder of the package that a file belongs to, the innermost; none for a file of the tree itself. */
export function packageOf(file: string): string[] {
  const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []
  return folder === undefined ? [] : [folder]
}
