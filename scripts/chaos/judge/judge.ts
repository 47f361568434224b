import type { EndRecord, History } from '../history.ts'
import { judgeAnswers } from './answers.ts'
import { judgeEquality, judgeLimits } from './equality.ts'
import { judgeFinalReads } from './final-reads.ts'
import { knowledgeOf } from './knowledge.ts'
import { judgeLinks } from './links.ts'
import { judgeReads } from './reads.ts'
import { judgeDeadLetters, judgeRest, judgeStatuses } from './rest.ts'
import type { Verdict } from './verdict.ts'
import { judgeVersions } from './versions.ts'
import { judgeWrites } from './writes.ts'

/** Whether a run kept what the product promises; from the history and what the stores held at the end alone. */
export function judge(history: History, { snapshot, quiet }: Omit<EndRecord, 'type'>): Verdict {
  const knowledge = knowledgeOf(history, snapshot)
  const { findings, excused } = judgeReads(history, knowledge)
  return {
    findings: [
      ...judgeRest(snapshot, quiet),
      ...judgeEquality(history, snapshot),
      ...judgeLimits(history, snapshot),
      ...judgeWrites(history, knowledge),
      ...judgeLinks(history, knowledge),
      ...findings,
      ...judgeFinalReads(history, knowledge),
      ...judgeVersions(history, snapshot),
      ...judgeDeadLetters(history, snapshot),
      ...judgeAnswers(history, knowledge),
      ...judgeStatuses(history),
    ],
    excused,
  }
}
