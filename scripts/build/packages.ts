import { join } from 'node:path'
import type { Plugin } from 'esbuild'

/**
 * Drivers that a function loads late or not at all, by what its URLs say, and that are larger than all else in it: each
 * is a script of its own, with a code cache of its own. Within the bundles they would be read at each cold start.
 */
export const ownScripts = ['mongodb', 'nats'] as const

const filter = new RegExp(`^(${ownScripts.join('|')})$`)

/** Where a package's script is, below the bundles' folder. */
export const scriptOf = (name: string): string => `packages/${name}.cjs`

/** Has the functions require the packages' scripts; start.cjs loads them. */
export const separatePackages: Plugin = {
  name: 'separate packages',
  setup(setup) {
    setup.onResolve({ filter }, ({ path, namespace }) =>
      // A bundle is one folder below.
      namespace === 'package' ? undefined : { path: `../${scriptOf(path)}`, external: true },
    )
  },
}

/** An entry of one package, as its users get it by require(). */
export const packageEntries: Plugin = {
  name: 'package entries',
  setup(setup) {
    setup.onResolve({ filter: /^package:/ }, ({ path }) => ({ path: path.slice(8), namespace: 'package' }))
    setup.onLoad({ filter: /.*/, namespace: 'package' }, ({ path }) => ({
      contents: `module.exports = require('${path}')`,
      resolveDir: join(import.meta.dirname, '../..'),
    }))
  },
}
