// Starts a function's bundle from V8's code cache: `node start.cjs <bundle> [flags]`. The first process that ends well
// writes the cache, with what its requests made V8 compile; one that does not fit is only refused by V8.
'use strict'
const { readFileSync, renameSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { dirname, resolve } = require('node:path')
const { Script, constants } = require('node:vm')

const file = resolve(process.argv[2] ?? '')
const cacheFile = `${file}.cache`

function readCache() {
  try {
    return readFileSync(cacheFile)
  } catch {
    return undefined
  }
}

const cachedData = readCache()
const script = new Script(
  `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'utf8')}\n})`,
  { filename: file, cachedData, importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER },
)

if (cachedData === undefined || script.cachedDataRejected) {
  process.once('exit', (code) => {
    // Without an invocation there is little in it, and it would stay.
    if (code !== 0 || !globalThis[Symbol.for('registrar.invoked')]) return
    try {
      // Renamed into place: another process may be reading it.
      const fresh = `${cacheFile}.${process.pid}`
      writeFileSync(fresh, script.createCachedData())
      renameSync(fresh, cacheFile)
    } catch {
      // A read-only image brings its cache along, or does without.
    }
  })
}

const own = { exports: {} }
script.runInThisContext()(own.exports, createRequire(file), own, file, dirname(file))
