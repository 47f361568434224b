// Given to the functions of a chaos run by NODE_OPTIONS, so that the product has no hook of its own: a clock that is
// wrong, and a message that kills whatever worker handles it.
'use strict'
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const name = process.env.FUNCTION
const folder = process.env.NODE_CHAOS_DIR

if (name && folder) {
  skewClock(join(folder, 'clock.json'), name)
  if (/(fan-out|enrol)$/.test(name)) dieOf(Buffer.from('chaos-kills-its-worker'))
}

/** The file has milliseconds by function; it is looked at once a second. */
function skewClock(file, own) {
  let skew = 0
  const look = () => {
    try {
      skew = Number(JSON.parse(readFileSync(file, 'utf8'))[own]) || 0
    } catch {
      skew = 0
    }
  }
  look()
  setInterval(look, 1000).unref()
  const Real = Date
  const now = Real.now.bind(Real)
  Real.now = () => now() + skew
  globalThis.Date = new Proxy(Real, {
    construct: (target, args, maker) =>
      Reflect.construct(target, args.length === 0 ? [Real.now()] : args, maker),
    apply: () => new Real(Real.now()).toString(),
  })
}

/**
 * When its bytes are decoded, which is the first thing that a handler does and nobody does before it: a worker that only
 * holds the message lives on, as with any message that a handler dies of. Decoding begins with a view of all the bytes.
 */
function dieOf(marker) {
  // A proxy, and no subclass: libraries take accessors from DataView's own prototype.
  globalThis.DataView = new Proxy(DataView, {
    construct(target, args, newTarget) {
      const view = Reflect.construct(target, args, newTarget)
      if (Buffer.from(view.buffer, view.byteOffset, view.byteLength).includes(marker)) die()
      return view
    },
  })
}

function die() {
  process.kill(process.pid, 'SIGKILL')
  // Not one step more, however long the signal takes.
  for (;;);
}
