// Starts a function's bundle from V8's code cache: `node start.cjs <bundle> [flags]`. The first process that ends well
// writes the cache, with what its requests made V8 compile; one that does not fit is only refused by V8. The large
// drivers are scripts beside the bundles, and loaded in the same way when they are asked for.
'use strict'
const { readFileSync, renameSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { basename, dirname, resolve } = require('node:path')
const { Script, constants } = require('node:vm')

const main = resolve(process.argv[2] ?? '')
/** Each function has caches of its own: of a driver one needs what another does not. */
const cacheOf = (file) => (file === main ? `${main}.cache` : `${main}.${basename(file)}.cache`)

/** Scripts without a cache that fits, by the files of their caches. */
const fresh = new Map()
const loaded = new Map()

function load(file) {
  const there = loaded.get(file)
  if (there) return there.exports
  const own = { exports: {} }
  loaded.set(file, own)
  const cacheFile = cacheOf(file)
  const cachedData = readCache(cacheFile)
  const script = new Script(
    // The bundler writes ASCII; read as what it might be as well, it would take longer.
    `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'latin1')}\n})`,
    { filename: file, cachedData, importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER },
  )
  if (cachedData === undefined || script.cachedDataRejected) fresh.set(cacheFile, { script })
  const dir = dirname(file)
  const builtin = createRequire(file)
  const require = (name) => (name.startsWith('../packages/') ? load(resolve(dir, name)) : builtin(name))
  script.runInThisContext()(own.exports, require, own, file, dir)
  return own.exports
}

function readCache(file) {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

// Called by a host that begins to stop: what it needs for that would only make each start longer.
const compile = () => {
  // Without an invocation there is little in it, and it would stay.
  if (!globalThis[Symbol.for('registrar.invoked')]) return
  for (const one of fresh.values()) one.code ??= one.script.createCachedData()
}
globalThis[Symbol.for('registrar.stopping')] = compile

process.once('exit', (code) => {
  if (code !== 0) return
  compile()
  for (const [file, { code }] of fresh) {
    if (code === undefined) continue
    try {
      // Renamed into place: another process may be reading it.
      writeFileSync(`${file}.${process.pid}`, code)
      renameSync(`${file}.${process.pid}`, file)
    } catch {
      // A read-only image brings its cache along, or does without.
    }
  }
})

load(main)
