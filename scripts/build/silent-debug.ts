import type { Plugin } from 'esbuild'

/**
 * ioredis tells its inner life through the package `debug`, which opens stderr when it is loaded, to see whether there
 * are colours. What a function has to tell is in its log.
 */
export const silentDebug: Plugin = {
  name: 'silent debug',
  setup(setup) {
    setup.onResolve({ filter: /^debug$/ }, () => ({ path: 'debug', namespace: 'silent' }))
    setup.onLoad({ filter: /.*/, namespace: 'silent' }, () => ({
      contents: 'module.exports = { default: () => Object.assign(() => {}, { enabled: false }) }',
    }))
  },
}
