import type { History, Seen } from '../history.ts'
import { membersOf, type Snapshot } from '../snapshot/snapshot.ts'
import type { Finding } from './verdict.ts'

/** One version of one thing has one content, whoever shows it: an ETag stands for one representation. */
export function judgeVersions({ writes, reads }: History, snapshot: Snapshot): Finding[] {
  const contents = new Map<string, string>()
  const findings = new Map<string, Finding>()
  const look = ({ id, version, name, members }: Seen): void => {
    const key = `${id} v${version}`
    const content = JSON.stringify([name, members.toSorted()])
    const before = contents.get(key)
    if (before === undefined) contents.set(key, content)
    else if (before !== content)
      findings.set(key, { judgement: 'version', text: `${key} was shown as ${before} and as ${content}` })
  }
  for (const { seen } of writes) if (seen) look(seen)
  for (const { seen } of reads) seen.forEach(look)
  for (const { entities } of [snapshot.students, snapshot.courses])
    for (const one of entities) look({ ...one, members: membersOf(one) })
  return [...findings.values()]
}
