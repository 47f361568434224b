import type { Found, Report } from './campaign.ts'
import { printable } from './shot.ts'

/** What a campaign came to, for people. */
export function reported({ sent, found, statuses, families }: Report, seconds: number): string {
  const counts = (map: ReadonlyMap<string | number, number>): string =>
    [...map]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name === 0 ? 'closed' : name} ${count}`)
      .join(', ')
  return [
    ...found.map(described),
    `${sent} requests in ${seconds.toFixed(0)} s: ${counts(families)}`,
    `answers: ${counts(statuses)}`,
    `${found.length} faults found`,
  ].join('\n')
}

function described({ rule, what, shot, times }: Found): string {
  const { family, trick, pieces, pause, ends } = shot
  const sent = pieces
    .map((piece) => `    ${printable(piece)}`)
    .join(pieces.length > 1 ? `\n    (${pause} ms)\n` : '\n')
  const kind = trick === undefined ? family : `${family}, ${trick}`
  return `FOUND  ${rule}, ${times} times\n  ${what.slice(0, 1000)}\n  the smallest request (${kind}):\n${sent}${ends ? '\n    (the sending side is closed)' : ''}\n`
}
