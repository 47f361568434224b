import { limits } from '../../../shared/enrolment/links.ts'
import type { Register, Side } from '../../../shared/enrolment/register.ts'
import type { History, Service, WriteRecord } from '../history.ts'
import { told } from './equality.ts'
import {
  type Acknowledged,
  afterlife,
  isOvertaken,
  type Knowledge,
  type Known,
  mayBeDeleted,
} from './knowledge.ts'
import { isOverruled, type ListsShown, listsShown } from './overruled.ts'
import type { Finding } from './verdict.ts'

const sideOf: Record<Service, Side> = { students: 'S', courses: 'C' }

/**
 * Q4 of links. The writes of one student's or course's list are in the order of their versions, so the last acknowledged
 * one is what its own side says of each link; the register that stands names the side whose word it is. So every
 * register must be one of: what that last write says; what the other side's says; what an indeterminate write may have
 * said; or taken back with a reason that can be true. A word that its writer had seen does not stand against what it wrote.
 */
export function judgeLinks(history: History, knowledge: Knowledge): Finding[] {
  const findings: Finding[] = []
  const shown = listsShown(history)
  const partners = partnersOf(knowledge)
  for (const known of knowledge.all.values()) {
    if (!known.stored) continue
    const last = known.acknowledged.findLast(({ members }) => members !== undefined)
    const wanted = new Set(last?.members)
    const own = sideOf[known.service]
    for (const id of new Set([...wanted, ...Object.keys(known.stored.links)])) {
      const register = known.stored.links[id]
      const other = knowledge.all.get(id)
      const problem = wrongWith({ known, other, id, own, last, register, partners, knowledge, shown })
      if (problem)
        findings.push({
          judgement: 'lost',
          text: `${known.service} ${known.id} and ${id}: ${problem}; ${told(register)} is stored, ${toldWrite(last)}`,
        })
    }
  }
  return findings
}

interface Case {
  readonly known: Known
  readonly other: Known | undefined
  readonly id: string
  readonly own: Side
  readonly last: Acknowledged | undefined
  readonly register: Register | undefined
  readonly partners: Partners
  readonly knowledge: Knowledge
  readonly shown: ListsShown
}

function wrongWith(it: Case): string | undefined {
  const { known, other, id, own, last, register, partners, knowledge, shown } = it
  const isWanted = last?.members?.includes(id) ?? false
  if (!register) return isWanted ? 'an acknowledged enrolment left no register' : undefined
  const { present, origin, reason } = register
  if (!present && reason) return wrongReason(it, reason)
  const byOwn = origin === own
  const [speaker, about] = byOwn ? [known, id] : [other, known.id]
  // What it said is gone with it; the equality of both sides is judged elsewhere.
  if (!speaker?.stored && !byOwn) return goneSpeaker(speaker, present)
  if (last && speaker && !byOwn && isOverruled({ known, last, speaker, present }, shown))
    return `it is ${present ? 'there' : 'gone'} by a word of the other side that had been shown before`
  const said = speaker?.acknowledged.findLast(({ members }) => members !== undefined)
  const says = said?.members?.includes(about) ?? false
  const asked = partners.get(known.id)?.get(id) ?? Number.POSITIVE_INFINITY
  const maybe = (speaker?.indeterminate ?? []).some(
    (write) =>
      mayHaveSaid(write, about, present) &&
      (says === present || !isOvertaken(write, said, knowledge)) &&
      (present || write.ended + afterlife > asked),
  )
  if (maybe) return undefined
  if (present) return says ? undefined : 'an enrolment stands that its own side does not want any more'
  if (says && byOwn) return 'an acknowledged enrolment is gone, and nobody took it back'
  // Every list lacks most ids: one only ended what somebody had asked for by then.
  const hasEnded = speaker?.acknowledged.some(
    (write) => mayHaveSaid(write, about, false) && write.ended > asked,
  )
  if (!hasEnded) return 'an enrolment was ended by a side that never wrote so, and without a reason'
  return undefined
}

function goneSpeaker(speaker: Known | undefined, present: boolean): string | undefined {
  if (present) return undefined
  return speaker && mayBeDeleted(speaker)
    ? undefined
    : 'an enrolment was ended without a reason, by what never existed or was never deleted'
}

/** A creation ends nothing, and neither did the deletion of what is stored. */
function mayHaveSaid({ kind, members }: WriteRecord, id: string, present: boolean): boolean {
  return members !== undefined && members.includes(id) === present && (present || kind !== 'create')
}

/** A reason that cannot be true is as bad as none: it took a good enrolment back. */
function wrongReason(
  { known, other, id, partners }: Case,
  reason: NonNullable<Register['reason']>,
): string | undefined {
  const [subject, about] = reason.startsWith('student')
    ? known.service === 'students'
      ? [known, known.id]
      : [other, id]
    : known.service === 'courses'
      ? [known, known.id]
      : [other, id]
  if (reason.endsWith('_not_found'))
    return subject?.stored ? `it was taken back as ${reason}, but ${about} exists` : undefined
  const limit = reason === 'student_full' ? limits.student : limits.course
  const count = partners.get(about)?.size ?? 0
  return count > limit ? undefined : `it was taken back as ${reason}, but only ${count} were ever asked for`
}

/** Of each student and course, all those that anybody ever wanted to be linked with it, and when that was first asked. */
type Partners = ReadonlyMap<string, ReadonlyMap<string, number>>

function partnersOf({ all }: Knowledge): Partners {
  const partners = new Map<string, Map<string, number>>()
  const note = (a: string, b: string, began: number): void => {
    const known = partners.get(a) ?? new Map<string, number>()
    partners.set(a, known.set(b, Math.min(began, known.get(b) ?? began)))
  }
  for (const { id, acknowledged, indeterminate } of all.values())
    for (const { members = [], began } of [...acknowledged, ...indeterminate])
      for (const other of members) {
        note(id, other, began)
        note(other, id, began)
      }
  return partners
}

function toldWrite(write: Acknowledged | undefined): string {
  if (!write) return 'no write of its list was acknowledged'
  return `the last acknowledged write of its list made version ${write.seen.version} at ${Math.round(write.ended)} ms`
}
