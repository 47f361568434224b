import { poisonOf } from '../faults/poison-mark.ts'
import type { FaultRecord, History } from '../history.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { Finding } from './verdict.ts'

/** That everything has come to rest, and stayed so for some looks. */
export function judgeRest({ students, courses, waiting }: Snapshot, quiet: boolean): Finding[] {
  const sides = Object.entries({ students, courses }).map(
    ([name, { untold }]) => [`the outbox of ${name}`, untold] as const,
  )
  const streams = Object.entries(waiting).map(([name, count]) => [`the stream ${name}`, count] as const)
  const left = [...sides, ...streams].filter(([, count]) => count > 0)
  const texts = left.map(([where, count]) => `${count} left in ${where}`)
  if (!quiet) texts.push('something was under way for as long as anybody looked')
  return texts.map((text) => ({ judgement: 'pending', text }))
}

/** Poison becomes a dead letter, and nothing else does. Those of before a wipe went with the store. */
export function judgeDeadLetters({ faults }: Pick<History, 'faults'>, { deadLetters }: Snapshot): Finding[] {
  const wiped = Math.max(-1, ...faults.filter(({ kind }) => kind === 'wipe').map(({ ended }) => ended))
  const buried = new Map(deadLetters.map(({ payload, reason }) => [poisonOf(payload), reason]))
  const strange = deadLetters.filter(({ payload }) => poisonOf(payload) === undefined)
  const poisons = faults.filter(({ kind, began }) => kind.startsWith('poison-') && began > wiped)
  const missing = poisons.flatMap(marks).filter((mark) => !buried.has(mark))
  const harmless = poisons
    .filter(({ kind }) => kind === 'poison-killer')
    .flatMap(marks)
    .filter((mark) => !/died or hung/.test(buried.get(mark) ?? 'died or hung'))
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
    ...harmless.map(
      (mark): Finding => ({
        judgement: 'dead-letter',
        text: `the poison ${mark} killed nobody: ${buried.get(mark)}`,
      }),
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
