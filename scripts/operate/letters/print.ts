import { type Letter, printable, traceIdOf } from './letter.ts'
import { decode } from './payload.ts'

/** Most bytes of a payload that are shown to people. */
const mostBytes = 256

/** A letter for machines. */
export function objectOf(letter: Letter, now = Date.now()) {
  const { id, at, reason, subject, stream, sequence, consumer, payload } = letter
  return {
    id,
    at: at.toISOString(),
    age_seconds: Math.max(0, Math.round((now - at.getTime()) / 1000)),
    reason,
    subject,
    stream,
    sequence,
    consumer,
    trace_id: traceIdOf(letter) ?? null,
    bytes: letter.wholeSize ?? payload.length,
    payload: decode(subject, payload),
  }
}

/** A letter in two lines. */
export function lineOf(letter: Letter): string {
  const { id, age_seconds, subject, consumer, reason, payload, trace_id, bytes } = objectOf(letter)
  const what = payload.summary ?? `${bytes} bytes that are no valid ${payload.kind}`
  return lines(
    `${String(id).padEnd(5)} ${ageOf(age_seconds).padEnd(4)} ${subject} -> ${consumer}: ${what}`,
    `           ${reason} [trace ${trace_id ?? 'unknown'}]`,
  )
}

/** All that is known of one. */
export function detailsOf(letter: Letter): string {
  const { id, at, age_seconds, reason, subject, stream, sequence, consumer, trace_id, payload, bytes } =
    objectOf(letter)
  const { content, summary, problems, kind } = payload
  return lines(
    `dead letter ${id}`,
    `  given up  ${at}, ${ageOf(age_seconds)} ago, by ${consumer}`,
    `  reason    ${reason}`,
    `  subject   ${subject}, message ${sequence} of ${stream}`,
    `  trace id  ${trace_id ?? 'unknown'}`,
    `  payload   ${kind}, ${bytes} bytes${letter.wholeSize ? `, of which ${letter.payload.length} were kept` : ''}${summary ? `: ${summary}` : ''}`,
    ...problems.map((problem) => `            ${problem}`),
    ...(content === undefined ? rawLines(letter.payload) : jsonLines(content)),
  )
}

const lines = (...all: readonly string[]): string => all.map(printable).join('\n')

const jsonLines = (content: unknown): string[] =>
  JSON.stringify(content, null, 2)
    .split('\n')
    .map((line) => `    ${line}`)

function rawLines(payload: Uint8Array): string[] {
  const shown = Buffer.from(payload.subarray(0, mostBytes))
  const rows: string[] = []
  for (let at = 0; at < shown.length; at += 16) {
    const row = shown.subarray(at, at + 16)
    const hex = row.toString('hex').replaceAll(/../g, '$& ').padEnd(48)
    rows.push(`    ${hex} ${row.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '.')}`)
  }
  return payload.length > mostBytes ? [...rows, `    ... ${payload.length - mostBytes} bytes more`] : rows
}

function ageOf(seconds: number): string {
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  return seconds < 2 * 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`
}
