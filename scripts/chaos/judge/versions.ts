import type { History, Seen } from '../history.ts'
import { membersOf, type Snapshot } from '../snapshot/snapshot.ts'
import type { Finding } from './verdict.ts'

/**
 * One version of one thing has one content, whoever shows it: an ETag stands for one representation. And no write gives
 * a name that another gave: one that comes back was written over what a later write had said.
 */
export function judgeVersions({ writes, reads }: History, snapshot: Snapshot): Finding[] {
  const contents = new Map<string, string>()
  const findings = new Map<string, Finding>()
  const shown = new Map<string, Map<number, string>>()
  const look = ({ id, version, name, members }: Seen): void => {
    const key = `${id} v${version}`
    const content = JSON.stringify([name, members.toSorted()])
    const names = shown.get(id) ?? new Map<number, string>()
    shown.set(id, names.set(version, name))
    const before = contents.get(key)
    if (before === undefined) contents.set(key, content)
    else if (before !== content)
      findings.set(key, { judgement: 'version', text: `${key} was shown as ${before} and as ${content}` })
  }
  for (const { seen } of writes) if (seen) look(seen)
  for (const { seen } of reads) seen.forEach(look)
  for (const { entities } of [snapshot.students, snapshot.courses])
    for (const one of entities) look({ ...one, members: membersOf(one) })
  return [...findings.values(), ...namesBack(shown)]
}

function namesBack(shown: ReadonlyMap<string, ReadonlyMap<number, string>>): Finding[] {
  return [...shown].flatMap(([id, names]): Finding[] => {
    const gone = new Map<string, string>()
    const inOrder = [...names].toSorted(([a], [b]) => a - b)
    return inOrder.flatMap(([version, name], index): Finding[] => {
      const before = inOrder[index - 1]?.[1]
      if (before !== undefined && before !== name) gone.set(before, name)
      const by = gone.get(name)
      if (by === undefined || before === name) return []
      return [
        { judgement: 'lost', text: `${id} v${version} is named ${name} again, after ${by} was written` },
      ]
    })
  })
}
