import type { History, Seen, WriteRecord } from '../history.ts'
import { type Acknowledged, afterlife, type Known } from './knowledge.ts'

interface Answer {
  readonly began: number
  readonly ended: number
  readonly members: readonly string[]
}

/** What answers showed of each student's or course's list. */
export type ListsShown = ReadonlyMap<string, readonly Answer[]>

export function listsShown({ writes, reads }: Pick<History, 'writes' | 'reads'>): ListsShown {
  const shown = new Map<string, Answer[]>()
  const note = ({ id, members }: Seen, { began, ended }: { began: number; ended: number }): void => {
    const own = shown.get(id) ?? []
    shown.set(id, own)
    own.push({ began, ended, members })
  }
  for (const write of writes) if (write.seen) note(write.seen, write)
  for (const read of reads) for (const seen of read.seen) note(seen, read)
  return shown
}

interface Dispute {
  /** Whose list was written last, and acknowledged: against the other's word. */
  readonly known: Known
  readonly last: Acknowledged
  /** Whose word stands, and what it says. */
  readonly speaker: Known
  readonly present: boolean
}

/**
 * Whether a word stands although it had been shown with the list that then said otherwise: such a list is above it,
 * whatever the clocks say. Only where it is certain: the word was said once, by the other side alone, and neither side
 * took it back before.
 */
export function isOverruled({ known, last, speaker, present }: Dispute, shown: ListsShown): boolean {
  const says = ({ members }: WriteRecord, id: string, word: boolean): boolean =>
    members !== undefined && members.includes(id) === word
  const mine = [...known.acknowledged, ...known.indeterminate]
  const theirs = [...speaker.acknowledged, ...speaker.indeterminate]
  if (!says(last, speaker.id, !present)) return false
  // Said again, or only had its effect, after the list was written.
  if (theirs.some((write) => says(write, known.id, present) && end(write) > last.began)) return false
  // What it was before the word: nothing, or a wish of this side that was ended.
  const wish = present
    ? undefined
    : known.acknowledged.find((write) => write !== last && says(write, speaker.id, true))
  if (!present && !wish) return false
  const since = present ? Number.NEGATIVE_INFINITY : (wish?.ended ?? 0)
  const answer = shown
    .get(known.id)
    ?.find(
      ({ began, ended, members }) =>
        began > since && ended < last.began && members.includes(speaker.id) === present,
    )
  if (!answer) return false
  const isOwnWord = mine.some(
    (write) =>
      says(write, speaker.id, present) &&
      write.began < answer.ended &&
      end(write) > (wish?.began ?? Number.NEGATIVE_INFINITY),
  )
  if (isOwnWord) return false
  // Any of these may have made the word anew, later than what was shown.
  const first = present
    ? Math.min(...theirs.filter((write) => says(write, known.id, true)).map(({ began }) => began))
    : since
  const takenBack = (write: WriteRecord, id: string): boolean =>
    says(write, id, !present) && end(write) > first && write.kind !== 'create'
  return ![
    ...theirs.filter((write) => takenBack(write, known.id)),
    ...mine.filter(
      (write) => write !== last && write !== wish && write.began < last.ended && takenBack(write, speaker.id),
    ),
  ].length
}

/** Longest that it may have had its effect. */
const end = ({ outcome, ended }: WriteRecord): number =>
  outcome === 'indeterminate' ? ended + afterlife : ended
