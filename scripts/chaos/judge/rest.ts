import { poisonOf } from '../faults/poison-mark.ts'
import type { FaultRecord, History } from '../history.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { Finding } from './verdict.ts'

/** That everything has come to rest. */
export function judgeRest({ students, courses, waiting }: Snapshot): Finding[] {
  const sides = Object.entries({ students, courses }).map(
    ([name, { untold }]) => [`the outbox of ${name}`, untold] as const,
  )
  const streams = Object.entries(waiting).map(([name, count]) => [`the stream ${name}`, count] as const)
  return [...sides, ...streams]
    .filter(([, count]) => count > 0)
    .map(([where, count]) => ({ judgement: 'pending', text: `${count} left in ${where}` }))
}

/** Poison becomes a dead letter, and nothing else does. Those of before a wipe went with the store. */
export function judgeDeadLetters({ faults }: Pick<History, 'faults'>, { deadLetters }: Snapshot): Finding[] {
  const wiped = Math.max(-1, ...faults.filter(({ kind }) => kind === 'wipe').map(({ ended }) => ended))
  const buried = new Set(deadLetters.map(({ payload }) => poisonOf(payload)))
  const strange = deadLetters.filter(({ payload }) => poisonOf(payload) === undefined)
  const missing = faults
    .filter(({ kind, began }) => kind.startsWith('poison-') && began > wiped)
    .flatMap(marks)
    .filter((mark) => !buried.has(mark))
  return [
    ...strange.map(
      ({ subject, reason }): Finding => ({
        judgement: 'dead-letter',
        text: `a message of ${subject} that was no poison is a dead letter: ${reason}`,
      }),
    ),
    ...missing.map(
      (mark): Finding => ({ judgement: 'dead-letter', text: `the poison ${mark} is no dead letter` }),
    ),
  ]
}

function marks({ detail }: FaultRecord): string[] {
  const { marks: all } = detail ?? {}
  return Array.isArray(all) ? all.map(String) : []
}

export function judgeStatuses({ writes, reads }: History): Finding[] {
  return [...writes, ...reads]
    .filter(({ status }) => status === 500)
    .map(({ type, kind, service, began, trace }) => ({
      judgement: 'internal',
      text: `a ${type} (${kind}) of ${service} at ${Math.round(began)} ms was answered with 500, trace ${trace}`,
    }))
}
