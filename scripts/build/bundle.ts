import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Metafile, type Plugin, stop, transform } from 'esbuild'
import type { Trigger } from '../../shared/spec/define-function.ts'
import { type DiscoveredFunction, discoverFunctions } from '../../shared/spec/discover.ts'
import { needsOf } from '../../shared/spec/needs.ts'
import { contentsFile, contentsOf } from './contents.ts'
import { lazyBuiltins } from './lazy-builtins.ts'
import { ownScripts, packageEntries, scriptOf, separatePackages } from './packages.ts'
import { redisCommands } from './redis-commands.ts'
import { silentDebug } from './silent-debug.ts'

/**
 * Bundles each function of a tree into `<out>/<service>/<function>.cjs`, with what several may load, or none, in
 * `<out>/packages`, `start.cjs` beside them, and in `<out>/contents.json` what each is made of.
 */
export async function bundleFunctions(root: string, out: string): Promise<readonly DiscoveredFunction[]> {
  const functions = await discoverFunctions(root)
  const [bundles, packages] = await Promise.all([
    write(
      root,
      out,
      functions.map(({ name }) => ({ in: `function:${name.full}`, out: name.full })),
      [entries(root, functions), separatePackages],
    ),
    write(
      root,
      out,
      ownScripts.map((name) => ({ in: `package:${name}`, out: scriptOf(name).replace(/\.cjs$/, '') })),
      [packageEntries],
    ),
  ])
  await removeCaches(out)
  await cp(join(root, 'shared/hosts/start.cjs'), join(out, 'start.cjs'))
  const migrations = await copyMigrations(root, out, functions)
  const assets = await assetsOf(functions)
  await copyAssets(out, assets)
  const built = { root, out, functions, bundles, packages, migrations, assets }
  await put(join(out, contentsFile), contentsOf(built))
  // Its own process would stay as long as ours, with our environment.
  await stop()
  return functions
}

async function write(
  root: string,
  out: string,
  entryPoints: readonly { readonly in: string; readonly out: string }[],
  plugins: readonly Plugin[],
): Promise<Metafile> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [...entryPoints],
    plugins: [...plugins, lazyBuiltins, redisCommands, silentDebug],
    outdir: out,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // Without it the OpenTelemetry SDK comes whole: only its ES modules can be shaken.
    mainFields: ['module', 'main'],
    outExtension: { '.js': '.cjs' },
    loader: { '.json': 'json' },
    define: {
      'import.meta.url': '__bundleUrl',
      'import.meta.main': 'false',
      'import.meta.dirname': '__dirname',
    },
    banner: { js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    // In an image nobody reads them; a stack shows the bundle's own lines.
    sourcemap: false,
    legalComments: 'none',
    logLevel: 'error',
  })
  await Promise.all(
    result.outputFiles.map(async ({ path, text }) => {
      // In a pass of its own: minified while bundling, the output is larger and slower, and breaks the MongoDB driver.
      const { code } = await transform(text, {
        minify: true,
        platform: 'node',
        target: 'node24',
        legalComments: 'none',
      })
      await put(path, code)
    }),
  )
  return result.metafile
}

/** The entry of a function, made from its declaration: it imports the host of its kind and the wires that it needs. */
function entries(root: string, functions: readonly DiscoveredFunction[]): Plugin {
  return {
    name: 'function entries',
    setup(setup) {
      setup.onResolve({ filter: /^function:/ }, ({ path }) => ({
        path: path.slice(9),
        namespace: 'function',
      }))
      setup.onLoad({ filter: /.*/, namespace: 'function' }, ({ path }) => {
        const found = functions.find(({ name }) => name.full === path)
        if (!found) return { errors: [{ text: `there is no function ${path}` }] }
        return { contents: entry(found), resolveDir: root, loader: 'ts' }
      })
    },
  }
}

function entry({ name, declaration }: DiscoveredFunction): string {
  const needs = needsOf(declaration)
  const { file, run } = hosts[declaration.trigger.kind]
  return `
    import declaration from './functions/${name.full}/function.ts'
    import handler from './functions/${name.full}/handler.ts'
    ${needs.length > 0 ? `import { ${needs.join(', ')} } from './functions/${name.service}/wiring.ts'` : ''}
    import { ${run} } from './shared/hosts/${file}'
    process.title = '${name.full}'
    ${run}({ name: '${name.full}', declaration, handler, wires: { ${needs.join(', ')} } })
  `
}

const hosts: Record<Trigger['kind'], { readonly file: string; readonly run: string }> = {
  http: { file: 'http.ts', run: 'serveHttp' },
  grpc: { file: 'grpc.ts', run: 'serveGrpc' },
  stream: { file: 'worker.ts', run: 'serveWorker' },
  job: { file: 'job.ts', run: 'runJob' },
  cron: { file: 'job.ts', run: 'runJob' },
}

/** The initializer reads them beside its bundle, at the place where they are in the sources. */
async function copyMigrations(
  root: string,
  out: string,
  functions: readonly DiscoveredFunction[],
): Promise<string[]> {
  const folders = [...new Set(functions.map(({ name }) => `${name.service}/migrations`))]
  const there = folders.filter((folder) => existsSync(join(root, 'functions', folder)))
  for (const folder of there)
    await cp(join(root, 'functions', folder), join(out, folder), { recursive: true })
  return there
}

/** What functions read beside their code, as their assets.ts say: absolute paths, by the function's name. */
async function assetsOf(
  functions: readonly DiscoveredFunction[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>()
  for (const { name, dir } of functions) {
    const file = join(dir, 'assets.ts')
    if (!existsSync(file)) continue
    const { assetFiles }: { assetFiles: () => string[] } = await import(pathToFileURL(file).href)
    found.set(name.full, assetFiles())
  }
  return found
}

/** Into the folder `assets` beside the bundle. */
async function copyAssets(out: string, assets: ReadonlyMap<string, readonly string[]>): Promise<void> {
  for (const [full, files] of assets)
    for (const file of files) await cp(file, join(out, dirname(full), 'assets', basename(file)))
}

/** Into place at once: a run may be reading what was there before. */
async function put(path: string, code: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const fresh = `${path}.${process.pid}`
  await writeFile(fresh, code)
  await rename(fresh, path)
}

/** Of the bundles that were there before: V8 compares no more than their lengths. */
async function removeCaches(out: string): Promise<void> {
  const files = await readdir(out, { recursive: true })
  await Promise.all(
    files.filter((file) => file.endsWith('.cache')).map((file) => rm(join(out, file), { force: true })),
  )
}
