import type { History, ReadRecord, Seen, Service, WriteRecord } from '../history.ts'
import type { Snapshot, Stored } from '../snapshot/snapshot.ts'

/** All that is known of one student or course. */
export interface Known {
  readonly id: string
  readonly service: Service
  /** Acknowledged, in the order of the versions that they made; deletions, which make none, apart. */
  readonly acknowledged: readonly Acknowledged[]
  readonly deletions: readonly WriteRecord[]
  /** Those that may have had their effect, or may not; creations are among them when something shows their name. */
  readonly indeterminate: readonly WriteRecord[]
  readonly stored: Stored | undefined
}

export type Acknowledged = WriteRecord & { readonly seen: Seen }

export interface Knowledge {
  readonly all: ReadonlyMap<string, Known>
  /** Ids under which each name was ever shown. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>
}

export const isAcknowledged = (write: WriteRecord): write is Acknowledged =>
  write.outcome === 'acknowledged' && write.seen !== undefined

/** The history by what it is about. */
export function knowledgeOf({ writes, reads }: History, snapshot: Snapshot): Knowledge {
  const names = namesIn(writes, reads, snapshot)
  const stored = new Map<string, [Service, Stored]>()
  for (const service of ['students', 'courses'] as const)
    for (const one of snapshot[service].entities) stored.set(one.id, [service, one])
  const about = Map.groupBy(writes, (write) => {
    if (write.id !== undefined) return write.id
    if (write.seen) return write.seen.id
    const [id] = names.get(write.name ?? '') ?? []
    return id
  })
  const all = new Map<string, Known>()
  for (const id of new Set([...about.keys(), ...stored.keys()])) {
    if (id === undefined) continue
    const own = about.get(id) ?? []
    const service = stored.get(id)?.[0] ?? own[0]?.service
    if (!service) continue
    all.set(id, {
      id,
      service,
      acknowledged: own.filter(isAcknowledged).toSorted((a, b) => a.seen.version - b.seen.version),
      deletions: own.filter(({ kind, outcome }) => kind === 'delete' && outcome === 'acknowledged'),
      indeterminate: own.filter(({ outcome }) => outcome === 'indeterminate'),
      stored: stored.get(id)?.[1],
    })
  }
  return { all, names }
}

function namesIn(
  writes: readonly WriteRecord[],
  reads: readonly ReadRecord[],
  { students, courses }: Snapshot,
): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>()
  const note = ({ id, name }: { readonly id: string; readonly name: string }): void => {
    const ids = names.get(name) ?? new Set()
    names.set(name, ids.add(id))
  }
  for (const { seen } of writes) if (seen) note(seen)
  for (const { seen } of reads) seen.forEach(note)
  for (const { entities } of [students, courses]) entities.forEach(note)
  return names
}

/** Whether something was deleted, or may have been. */
export function mayBeDeleted({ deletions, indeterminate }: Known): boolean {
  return deletions.length > 0 || indeterminate.some(({ kind }) => kind === 'delete')
}
