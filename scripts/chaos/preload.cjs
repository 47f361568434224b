// Given to the functions of a chaos run by NODE_OPTIONS, so that the product has no hook of its own: a clock that is
// wrong, and a message that kills whatever worker receives it.
'use strict'
const { readFileSync } = require('node:fs')
const { Socket } = require('node:net')
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

function dieOf(marker) {
  const { push } = Socket.prototype
  Socket.prototype.push = function (chunk, encoding) {
    if (Buffer.isBuffer(chunk) && chunk.includes(marker)) process.kill(process.pid, 'SIGKILL')
    return push.call(this, chunk, encoding)
  }
}
