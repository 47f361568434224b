import type { Found, Report } from './campaign.ts'
import { printable } from './shot.ts'

/** What a campaign came to, for people. It may come to be read by many: the key is not in it. */
export function reported(
  { sent, found, statuses, families }: Report,
  seconds: number,
  key: string | undefined,
): string {
  const counts = (map: ReadonlyMap<string | number, number>): string =>
    [...map]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name === 0 ? 'closed' : name} ${count}`)
      .join(', ')
  return [
    ...found.map((one) => described(one, key === undefined ? undefined : formsOf(key))),
    `${sent} requests in ${seconds.toFixed(0)} s: ${counts(families)}`,
    `answers: ${counts(statuses)}`,
    `${found.length} faults found`,
  ].join('\n')
}

function described({ rule, what, shot, times }: Found, secret: RegExp | undefined): string {
  const { family, trick, pieces, pause, ends } = shot
  const masked = (text: string): string =>
    secret ? text.replaceAll(secret, (one) => '*'.repeat(one.length)) : text
  const bytes = masked(pieces.join(''))
  const starts = pieces.map((_, index) => pieces.slice(0, index).join('').length)
  const sent = starts
    .map((start, index) => `    ${printable(bytes.slice(start, starts[index + 1]))}`)
    .join(pieces.length > 1 ? `\n    (${pause} ms)\n` : '\n')
  const kind = trick === undefined ? family : `${family}, ${trick}`
  return `FOUND  ${rule}, ${times} times\n  ${masked(what).slice(0, 1000)}\n  the smallest request (${kind}):\n${sent}${ends ? '\n    (the sending side is closed)' : ''}\n`
}

/** A key as it may be sent: whole, with the end of a chunk in it, or broken off where everything ends. */
function formsOf(key: string): RegExp {
  const form = [...key].reduceRight((rest, one, index) => {
    const own = one.replace(/[^\w]/, '\\$&')
    if (rest === '') return own
    // Of fewer characters nobody learns anything, and other words end with them.
    return `${own}(?:${index < 3 ? '' : '$|'}(?:\\r\\n[\\da-f]+\\r\\n)?${rest})`
  }, '')
  return new RegExp(form, 'g')
}
