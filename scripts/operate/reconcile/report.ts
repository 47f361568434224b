import type { Print } from '../command.ts'
import type { Seen } from './compare.ts'
import type { Waiting } from './in-flight.ts'
import { type Half, kindOf } from './pair.ts'
import type { Finding } from './survey.ts'

/** What waits for longer than this, in seconds, does not move by itself: the alert for outboxes says so too. */
export const longest = 180

export interface Verdict {
  readonly differences: number
  readonly undecided: number
  /** What waits for too long. */
  readonly stalled: number
  readonly arrived: number
  readonly moving: number
  readonly told: number
  readonly seen: Seen
}

/** A line for each difference, with what each side has. */
export function printFinding(print: Print, finding: Finding): void {
  const { certain } = finding
  if ('overfull' in finding) {
    const { side, id, present, most } = finding.overfull
    const what = side === 'S' ? 'student' : 'course'
    print(`limit: ${what} ${id} has ${present} links present instead of at most ${most}`, {
      kind: 'limit',
      certain,
      [`${what}_id`]: id,
      present,
      most,
    })
    return
  }
  const { pair } = finding
  const { student_id, course_id, students, courses } = pair
  const kind = kindOf(pair) ?? ''
  const doubt = certain ? '' : ', maybe in flight'
  print(
    `${kind}${doubt}: student ${student_id}, course ${course_id}; students: ${told(students)}; courses: ${told(courses)}`,
    { kind, certain, student_id, course_id, students: students ?? null, courses: courses ?? null },
  )
}

/** A line for what waits for too long; returns how many there were. */
export function printStalled(print: Print, waiting: readonly Waiting[]): number {
  const stalled = waiting.filter(({ age }) => age > longest)
  for (const { where, count, age } of stalled) {
    print(`pending: ${where} has ${count} that wait, the oldest for ${age} s`, {
      kind: 'pending',
      where,
      count,
      age,
    })
  }
  return stalled.length
}

export function printVerdict(print: Print, verdict: Verdict): void {
  const { differences, undecided, stalled, arrived, moving, told, seen } = verdict
  const { students, courses, enrolments } = seen
  const among = `${students} students and ${courses} courses with ${enrolments} enrolments`
  const equal = differences + undecided + stalled === 0
  const parts = [
    ...(equal ? [`equal: ${among}`] : [`${differences} differences among ${among}`]),
    ...(undecided > 0 ? [`${undecided} more that may be in flight`] : []),
    ...(arrived > 0 ? [`${arrived} in flight have arrived`] : []),
    ...(moving > 0 ? [`${moving} are being written again and again`] : []),
    ...(told > 0 ? [`${told} registers were told again`] : []),
  ]
  print(parts.join('; '), {
    kind: 'summary',
    equal,
    differences,
    undecided,
    stalled,
    arrived,
    moving,
    told,
    ...seen,
  })
}

/** One side's word about a pair. */
function told(half: Half | undefined): string {
  if (!half) return 'not there'
  const { register, floor } = half
  if (!register) return floor > 0 ? `no register (floor ${iso(floor)})` : 'no register'
  const { present, ts, origin, reason } = register
  const by = { S: 'the student', C: 'the course', Z: 'a floor', '': 'nobody' }[origin]
  return `${present ? 'enrolled' : 'not enrolled'} by ${by} ${iso(ts)}${reason ? ` (${reason})` : ''}`
}

/** Of a register's ts, to the microsecond that decides. */
function iso(ts: number): string {
  const micros = String(ts % 1000).padStart(3, '0')
  return new Date(Math.floor(ts / 1000)).toISOString().replace('Z', `${micros}Z`)
}
