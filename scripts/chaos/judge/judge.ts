import type { History } from '../history.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { judgeEquality, judgeLimits } from './equality.ts'
import { knowledgeOf } from './knowledge.ts'
import { judgeLinks } from './links.ts'
import { judgeFinalReads, judgeReads } from './reads.ts'
import { judgeDeadLetters, judgeRest, judgeStatuses } from './rest.ts'
import type { Verdict } from './verdict.ts'
import { judgeVersions } from './versions.ts'
import { judgeWrites } from './writes.ts'

/** Whether a run kept what the product promises; from the history and what the stores held at the end alone. */
export function judge(history: History, snapshot: Snapshot): Verdict {
  const knowledge = knowledgeOf(history, snapshot)
  const { findings, excused } = judgeReads(history, knowledge)
  return {
    findings: [
      ...judgeRest(snapshot),
      ...judgeEquality(history, snapshot),
      ...judgeLimits(history, snapshot),
      ...judgeWrites(history, knowledge),
      ...judgeLinks(knowledge),
      ...findings,
      ...judgeFinalReads(history, knowledge),
      ...judgeVersions(history, snapshot),
      ...judgeDeadLetters(history, snapshot),
      ...judgeStatuses(history),
    ],
    excused,
  }
}
