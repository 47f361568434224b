export type Level = 'debug' | 'info' | 'warn' | 'error'

export type Fields = Readonly<Record<string, unknown>>

/** Longest that a line waits for others to leave with it, in milliseconds. */
const gathering = 5

let waiting = ''

/**
 * Writes one JSON line on stdout, for Fluent Bit and Loki. Lines leave in one write with those of the next few
 * milliseconds: on a busy function a write for each would be a tenth of its work.
 * Nothing that a client sent, and no URL with a password, belongs in a line.
 */
export function log(level: Level, fields: Fields): void {
  if (waiting === '') setTimeout(flushLog, gathering)
  const rest = JSON.stringify(fields)
  // Put together here: a copy of the fields costs as much as their JSON.
  waiting += `{"ts":"${timestamp()}","level":"${level}"${rest === '{}' ? '}' : `,${rest.slice(1)}`}\n`
}

let lastTime = 0
let lastTimestamp = ''

/** Now in ISO 8601; written once a millisecond, since writing it costs as much as the rest of a line. */
function timestamp(): string {
  const now = Date.now()
  if (now !== lastTime) {
    lastTime = now
    lastTimestamp = new Date(now).toISOString()
  }
  return lastTimestamp
}

/** Writes what is waiting; for those who are about to exit. */
export function flushLog(): void {
  if (waiting === '') return
  const lines = waiting
  waiting = ''
  outliveReader()
  if (!readerLeft) process.stdout.write(lines)
}

let guarded = false
let readerLeft = false

/**
 * Who reads stdout may leave early, as `head` does. That ends what is told and nothing else: requests are served on, and
 * a job does its work. The log sees to it by itself; what else writes on stdout calls this before.
 */
export function outliveReader(): void {
  if (guarded) return
  guarded = true
  process.stdout.on('error', () => {
    readerLeft = true
  })
}
