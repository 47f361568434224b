export type Level = 'debug' | 'info' | 'warn' | 'error'

export type Fields = Readonly<Record<string, unknown>>

let waiting = ''

/**
 * Writes one JSON line on stdout, for Fluent Bit and Loki. Lines of one turn of the event loop leave in one write.
 * Nothing that a client sent, and no URL with a password, belongs in a line.
 */
export function log(level: Level, fields: Fields): void {
  if (waiting === '') setImmediate(flushLog)
  waiting += `${JSON.stringify({ ts: new Date().toISOString(), level, ...fields })}\n`
}

/** Writes what is waiting; for those who are about to exit. */
export function flushLog(): void {
  if (waiting === '') return
  const lines = waiting
  waiting = ''
  process.stdout.write(lines)
}
