import { isDeepStrictEqual } from 'node:util'
import type { History, WriteRecord } from '../history.ts'
import { isOvertaken, type Knowledge, type Known, mayBeDeleted } from './knowledge.ts'
import type { Finding } from './verdict.ts'

/** Q4 but for links: what was acknowledged of each student and course is there, or something later explains it. */
export function judgeWrites({ writes }: History, knowledge: Knowledge): Finding[] {
  const findings: Finding[] = []
  const guilty = (text: string): void => void findings.push({ judgement: 'lost', text })
  for (const known of knowledge.all.values()) {
    judgeExistence(known, guilty)
    judgeFields(known, knowledge, guilty)
    judgeOrder(known, guilty)
  }
  for (const [name, ids] of knowledge.names)
    if (ids.size > 1) guilty(`one creation, ${name}, made ${ids.size}: ${[...ids].join(', ')}`)
  judgeKeys(writes, guilty)
  return findings
}

type Guilty = (text: string) => void

function judgeExistence(known: Known, guilty: Guilty): void {
  const { service, id, acknowledged, deletions, indeterminate, stored } = known
  if (!stored && acknowledged.length > 0 && !mayBeDeleted(known))
    guilty(`${service} ${id} was acknowledged, never deleted, and is not stored`)
  if (stored && deletions.length > 0)
    guilty(`${service} ${id} is stored, though its deletion was acknowledged`)
  if (stored && ![...acknowledged, ...indeterminate].some(({ kind }) => kind === 'create'))
    guilty(`${service} ${id} is stored, and nobody created it`)
}

function judgeFields(
  { service, id, acknowledged, indeterminate, stored }: Known,
  knowledge: Knowledge,
  guilty: Guilty,
): void {
  if (!stored) return
  const last = acknowledged.findLast(({ name }) => name !== undefined)
  const later = indeterminate.filter((write) => !isOvertaken(write, last, knowledge))
  const possible = [last?.name, ...later.map(({ name }) => name)]
  if (last && !possible.includes(stored.name))
    guilty(
      `${service} ${id} is named ${stored.name} at the end: ${last.name} was acknowledged as version ${last.seen.version}, and no later write explains it`,
    )
  const highest = acknowledged.at(-1)?.seen.version ?? 0
  if (stored.version < highest)
    guilty(`${service} ${id} has version ${stored.version} at the end: ${highest} was acknowledged`)
}

function judgeOrder({ service, id, acknowledged, deletions }: Known, guilty: Guilty): void {
  const gone = Math.min(...deletions.map(({ ended }) => ended))
  for (const write of acknowledged) {
    const { seen, ifMatch, members, kind, began } = write
    // A creation that is repeated is answered as it was the first time.
    if (began > gone && kind !== 'create')
      guilty(`${service} ${id} took a write at ${Math.round(began)} ms, after its deletion was acknowledged`)
    if (ifMatch !== undefined && seen.version !== ifMatch && seen.version !== ifMatch + 1)
      guilty(`${service} ${id} took a write with If-Match v${ifMatch} that made version ${seen.version}`)
    if (members && !isDeepStrictEqual(members.toSorted(), seen.members.toSorted()))
      guilty(
        `${service} ${id}: an acknowledged write of its links shows others in its answer, version ${seen.version}`,
      )
    if (write.name !== undefined && write.name !== seen.name)
      guilty(`${service} ${id}: an acknowledged write of ${write.name} shows ${seen.name} in its answer`)
  }
  // Of two that did not overlap the later one has the higher version, or the same when it changed nothing.
  let ended = Number.POSITIVE_INFINITY
  for (const group of [...Map.groupBy(acknowledged, ({ seen }) => seen.version).values()].toReversed()) {
    for (const write of group)
      if (write.kind !== 'create' && ended < write.began)
        guilty(
          `${service} ${id}: a write that began at ${Math.round(write.began)} ms made version ${write.seen.version}, after a higher one had been acknowledged at ${Math.round(ended)} ms`,
        )
    for (const write of group) ended = Math.min(ended, write.ended)
  }
}

/** Whoever repeats a creation with its key is told of the same one. */
function judgeKeys(writes: readonly WriteRecord[], guilty: Guilty): void {
  const byKey = Map.groupBy(
    writes.filter(({ kind, key, seen }) => kind === 'create' && key !== undefined && seen),
    ({ key }) => key,
  )
  for (const [key, answers] of byKey) {
    const ids = new Set(answers.map(({ seen }) => seen?.id))
    if (ids.size > 1) guilty(`the Idempotency-Key ${key} was answered with ${[...ids].join(' and ')}`)
  }
}
