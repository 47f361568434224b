import type { FaultRecord, History, ReadRecord, Seen, WriteRecord } from '../history.ts'
import { afterlife, isAcknowledged, type Knowledge, mayBeDeleted } from './knowledge.ts'
import type { Finding, Verdict } from './verdict.ts'

/** How long after a fault of Redis a writer may still be without it, in milliseconds. */
const grace = 3000
/** How long a half-open connection may go unnoticed, in milliseconds. */
const unnoticed = 5000
/** Longest that Redis keeps an answer, in milliseconds. */
const timeToLive = 300_000
/**
 * Longest that what was shown once is not shown to all, in milliseconds, while nobody was told that it is done: whoever
 * made it may have died before it invalidated, and the sweeper, which comes each minute, may have too.
 */
const settling = 120_000

export interface ReadsVerdict extends Pick<Verdict, 'excused'> {
  readonly findings: readonly Finding[]
}

/**
 * A read that begins after a write was acknowledged shows that write or a later one. The contract has one exception: a
 * writer that is cut off from Redis while readers are not leaves stale answers, at most for as long as Redis keeps them.
 * What nobody acknowledged, such as a change from the other side, is not taken back either once it has been shown.
 */
export function judgeReads({ reads, faults, writes }: History, knowledge: Knowledge): ReadsVerdict {
  const findings: Finding[] = []
  let [count, longest] = [0, 0]
  const frontier = frontiersOf(writes)
  const isCutOff = cutOffFrom(faults)
  for (const read of reads) {
    for (const { text, writes: newer } of staleIn(read, frontier, knowledge)) {
      const age = ({ ended }: WriteRecord): number => read.began - ended
      // That Redis did not hear of the last one excuses nothing where it had heard of one before.
      const guilty = newer.findLast((write) => !(isCutOff(write) && age(write) <= timeToLive))
      if (guilty) findings.push({ judgement: 'stale', text: `${text}: ${about(guilty)} ${source(read)}` })
      else {
        count++
        longest = Math.max(longest, ...newer.map(age))
      }
    }
    for (const { id, version } of read.seen) {
      const higher = knowledge.shown.get(id)?.find((one) => one.version > version)
      if (!higher) continue
      const made = { began: higher.ended - afterlife, ended: higher.ended }
      if (read.began - higher.ended <= (isCutOff(made) ? timeToLive : settling)) continue
      const text = `${read.service} ${id} was shown as version ${version} (${read.kind}) at ${Math.round(read.began)} ms: version ${higher.version} had been shown at ${Math.round(higher.ended)} ms`
      findings.push({ judgement: 'version', text: `${text} ${source(read)}` })
    }
  }
  return { findings, excused: { count, longest } }
}

const source = ({ cache, trace }: ReadRecord): string => `(${cache ?? 'no cache status'}, trace ${trace})`

/** Of one id, the writes that were acknowledged until then, by the highest version. */
type Frontier = ReadonlyMap<string, readonly { readonly ended: number; readonly write: WriteRecord }[]>

const versionOf = ({ kind, seen }: WriteRecord): number =>
  kind === 'delete' ? Number.POSITIVE_INFINITY : (seen?.version ?? 0)

function frontiersOf(writes: readonly WriteRecord[]): Frontier {
  const frontier = new Map<string, { ended: number; write: WriteRecord }[]>()
  for (const write of writes.toSorted((a, b) => a.ended - b.ended)) {
    const id = write.id ?? write.seen?.id
    const counts = isAcknowledged(write) || (write.kind === 'delete' && write.outcome === 'acknowledged')
    if (id === undefined || !counts) continue
    const own = frontier.get(id) ?? []
    frontier.set(id, own)
    const highest = own.at(-1)
    if (!highest || versionOf(write) > versionOf(highest.write)) own.push({ ended: write.ended, write })
  }
  return frontier
}

/** What must have been visible to whoever asked at a time: the last of these, or what came later. */
function knownAt(frontier: Frontier, id: string, time: number): WriteRecord[] {
  return (frontier.get(id) ?? []).filter(({ ended }) => ended < time).map(({ write }) => write)
}

interface Stale {
  readonly text: string
  /** Those that the answer did not show; at least one. */
  readonly writes: readonly WriteRecord[]
}

function staleIn(read: ReadRecord, frontier: Frontier, knowledge: Knowledge): Stale[] {
  const { began, ended, status, kind, service, id = '', seen } = read
  const stale = seen.flatMap((one): Stale[] => older(read, one, knownAt(frontier, one.id, began)))
  const last = knownAt(frontier, id, began).at(-1)
  if (status === 200 && last?.kind === 'delete' && (kind === 'related' || kind === 'enrolments'))
    stale.push({ text: `${id} had ${kind} at ${Math.round(began)} ms`, writes: [last] })
  if (kind === 'list' && read.complete) {
    const shown = new Set(seen.map((one) => one.id))
    for (const known of knowledge.all.values()) {
      if (known.service !== service || shown.has(known.id) || mayBeDeleted(known, ended)) continue
      const writes = knownAt(frontier, known.id, began)
      if (writes.length > 0)
        stale.push({
          text: `the list of ${service} at ${Math.round(began)} ms is without ${known.id}`,
          writes,
        })
    }
  }
  return stale
}

function older({ began, kind, service }: ReadRecord, seen: Seen, known: readonly WriteRecord[]): Stale[] {
  const writes = known.filter((write) => versionOf(write) > seen.version)
  if (writes.length === 0) return []
  const text = `${service} ${seen.id} was shown as version ${seen.version} (${kind}) at ${Math.round(began)} ms`
  return [{ text, writes }]
}

const about = (write: WriteRecord): string =>
  `${write.kind === 'delete' ? 'its deletion' : `version ${versionOf(write)}`} was acknowledged at ${Math.round(write.ended)} ms (trace ${write.trace})`

/** Whether a write may have had no way to Redis when it was to invalidate what it made stale. */
function cutOffFrom(
  faults: readonly FaultRecord[],
): (write: Pick<WriteRecord, 'began' | 'ended'>) => boolean {
  const windows = faults
    .filter(({ kind, target }) => target === 'redis' && kind !== 'redis-flush' && kind !== 'redis-full')
    .map(({ kind, began, ended }) => ({
      from: began,
      to: ended + (kind === 'half-open' ? unnoticed : grace),
    }))
  return ({ began, ended }) => windows.some(({ from, to }) => began <= to && ended >= from)
}
