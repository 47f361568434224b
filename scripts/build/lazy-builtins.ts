import type { Plugin } from 'esbuild'

/**
 * Modules of Node that cost milliseconds each to load and that drivers ask for whether they use them or not: TLS, in a
 * cluster without it; or not before they have waited for a server: cryptography. A bundle loads them at their first use.
 */
const lazy = /^(?:node:)?(tls|https|zlib|cluster|dns|crypto|assert|child_process|perf_hooks)$/

/** Puts a stand-in in the place of each, which passes every access on to the module itself. */
export const lazyBuiltins: Plugin = {
  name: 'lazy builtins',
  setup(setup) {
    setup.onResolve({ filter: lazy }, ({ path, namespace }) =>
      namespace === 'lazy'
        ? { path, external: true }
        : { path: path.replace('node:', ''), namespace: 'lazy' },
    )
    setup.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      // As a prototype, which both kinds of import look through, while neither finds names to copy.
      contents: `
        const load = () => require('node:${path}')
        const get = (_, key) => (key === '__esModule' ? undefined : load()[key])
        module.exports = Object.create(new Proxy({}, { get, has: (_, key) => key in load() }))`,
    }))
  },
}
