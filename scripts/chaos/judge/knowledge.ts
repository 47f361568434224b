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

/** When an answer had shown a version. */
export interface Shown {
  readonly version: number
  readonly ended: number
}

export interface Knowledge {
  readonly all: ReadonlyMap<string, Known>
  /** Ids under which each name was ever shown. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>
  /** The lowest version that each name was ever shown as. */
  readonly firstNamed: ReadonlyMap<string, number>
  /** Of each id, the answers that showed a higher version than any that had ended before. */
  readonly shown: ReadonlyMap<string, readonly Shown[]>
}

/**
 * Longest that a write may have its effect after its client was told nothing definite, in milliseconds: a client's whole
 * patience, and the longest pause of a process.
 */
export const afterlife = 60_000

export const isAcknowledged = (write: WriteRecord): write is Acknowledged =>
  write.outcome === 'acknowledged' && write.seen !== undefined

/** The history by what it is about. */
export function knowledgeOf({ writes, reads }: History, snapshot: Snapshot): Knowledge {
  const { names, firstNamed } = namesIn(writes, reads, snapshot)
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
  return { all, names, firstNamed, shown: shownIn(writes, reads) }
}

function namesIn(
  writes: readonly WriteRecord[],
  reads: readonly ReadRecord[],
  { students, courses }: Snapshot,
): Pick<Knowledge, 'names' | 'firstNamed'> {
  const names = new Map<string, Set<string>>()
  const firstNamed = new Map<string, number>()
  const note = ({ id, name, version }: Pick<Seen, 'id' | 'name' | 'version'>): void => {
    const ids = names.get(name) ?? new Set()
    names.set(name, ids.add(id))
    firstNamed.set(name, Math.min(version, firstNamed.get(name) ?? version))
  }
  for (const { seen } of writes) if (seen) note(seen)
  for (const { seen } of reads) seen.forEach(note)
  for (const { entities } of [students, courses]) entities.forEach(note)
  return { names, firstNamed }
}

function shownIn(writes: readonly WriteRecord[], reads: readonly ReadRecord[]): Map<string, Shown[]> {
  const shown = new Map<string, Shown[]>()
  const answers = [
    ...writes.map(({ seen, ended }) => ({ seen: seen ? [seen] : [], ended })),
    ...reads.map(({ seen, ended }) => ({ seen, ended })),
  ].toSorted((a, b) => a.ended - b.ended)
  for (const { seen, ended } of answers)
    for (const { id, version } of seen) {
      const own = shown.get(id) ?? []
      shown.set(id, own)
      if (version > (own.at(-1)?.version ?? 0)) own.push({ version, ended })
    }
  return shown
}

/** Whether something was deleted, or may have been, by a request that began before then. */
export function mayBeDeleted(
  { deletions, indeterminate, stored }: Known,
  until = Number.POSITIVE_INFINITY,
): boolean {
  // Ids never come again: what is stored has never been deleted.
  if (stored) return false
  return [...deletions, ...indeterminate].some(({ kind, began }) => kind === 'delete' && began < until)
}

/** Whether a write that may have had its effect cannot have had it after one that was acknowledged. */
export function isOvertaken(
  { name, ended }: WriteRecord,
  by: Acknowledged | undefined,
  { firstNamed }: Knowledge,
): boolean {
  if (!by) return false
  const made = name === undefined ? undefined : firstNamed.get(name)
  return by.began > ended + afterlife || (made !== undefined && made <= by.seen.version)
}
