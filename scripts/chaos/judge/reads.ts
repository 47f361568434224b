import type { FaultRecord, History, ReadRecord, Seen, WriteRecord } from '../history.ts'
import { isAcknowledged, type Knowledge, mayBeDeleted } from './knowledge.ts'
import type { Finding, Verdict } from './verdict.ts'

/** How long after a fault of Redis a writer may still be without it, in milliseconds. */
const grace = 3000
/** How long a half-open connection may go unnoticed, in milliseconds. */
const unnoticed = 5000
/** Longest that Redis keeps an answer, in milliseconds. */
const timeToLive = 300_000

export interface ReadsVerdict extends Pick<Verdict, 'excused'> {
  readonly findings: readonly Finding[]
}

/**
 * A read that begins after a write was acknowledged shows that write or a later one. The contract has one exception: a
 * writer that is cut off from Redis while readers are not leaves stale answers, at most for as long as Redis keeps them.
 */
export function judgeReads({ reads, faults, writes }: History, knowledge: Knowledge): ReadsVerdict {
  const findings: Finding[] = []
  let [count, longest] = [0, 0]
  const frontier = frontiersOf(writes)
  const isCutOff = cutOffFrom(faults)
  for (const read of reads) {
    for (const { text, write } of staleIn(read, frontier, knowledge)) {
      const age = read.began - write.ended
      if (isCutOff(write) && age <= timeToLive) {
        count++
        longest = Math.max(longest, age)
      } else
        findings.push({
          judgement: 'stale',
          text: `${text} (${read.cache ?? 'no cache status'}, trace ${read.trace})`,
        })
    }
  }
  return { findings, excused: { count, longest } }
}

/** When everything has come to rest, every answer is what is stored: no excuse is left. Each was asked for a few times. */
export function judgeFinalReads({ reads }: History, { all }: Knowledge): Finding[] {
  const last = new Map(reads.filter(({ final }) => final).map((read) => [`${read.kind} ${read.id}`, read]))
  return [...last.values()].flatMap((read): Finding[] => {
    if (read.id === undefined) return []
    const { service, id, status, seen, kind, pending = 0 } = read
    const stored = all.get(id)?.stored
    const what = `${kind} of ${service} ${id}, asked when all was at rest,`
    if (status !== (stored ? 200 : 404))
      return [{ judgement: 'stale', text: `${what} was answered with ${status}, trace ${read.trace}` }]
    if (pending > 0) return [{ judgement: 'pending', text: `${what} has ${pending} pending` }]
    const [shown] = seen
    if (!stored || !shown || shown.version === stored.version) return []
    const text = `${what} shows version ${shown.version}, not ${stored.version} (${read.cache}, trace ${read.trace})`
    return [{ judgement: 'stale', text }]
  })
}

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

/** What must have been visible to whoever asked at a time. */
function knownAt(frontier: Frontier, id: string, time: number): WriteRecord | undefined {
  return frontier.get(id)?.findLast(({ ended }) => ended < time)?.write
}

interface Stale {
  readonly text: string
  readonly write: WriteRecord
}

function staleIn(read: ReadRecord, frontier: Frontier, knowledge: Knowledge): Stale[] {
  const { began, status, kind, service, id, seen } = read
  const stale = seen.flatMap((one): Stale[] => older(read, one, knownAt(frontier, one.id, began)))
  if (kind === 'one' && status === 404 && id !== undefined) {
    const write = knownAt(frontier, id, began)
    const known = knowledge.all.get(id)
    if (write && write.kind !== 'delete' && known && !mayBeDeleted(known))
      stale.push({
        text: `${service} ${id} was not found at ${Math.round(began)} ms: ${about(write)}`,
        write,
      })
  }
  if (kind === 'list' && read.complete) {
    const shown = new Set(seen.map((one) => one.id))
    for (const known of knowledge.all.values()) {
      if (known.service !== service || shown.has(known.id) || mayBeDeleted(known)) continue
      const write = knownAt(frontier, known.id, began)
      if (write)
        stale.push({
          text: `the list of ${service} at ${Math.round(began)} ms is without ${known.id}: ${about(write)}`,
          write,
        })
    }
  }
  return stale
}

function older({ began, kind, service }: ReadRecord, seen: Seen, write: WriteRecord | undefined): Stale[] {
  if (!write || seen.version >= versionOf(write)) return []
  const text = `${service} ${seen.id} was shown as version ${seen.version} (${kind}) at ${Math.round(began)} ms: ${about(write)}`
  return [{ text, write }]
}

const about = (write: WriteRecord): string =>
  `${write.kind === 'delete' ? 'its deletion' : `version ${versionOf(write)}`} was acknowledged at ${Math.round(write.ended)} ms (trace ${write.trace})`

/** Whether a write may have had no way to Redis when it was to invalidate what it made stale. */
function cutOffFrom(faults: readonly FaultRecord[]): (write: WriteRecord) => boolean {
  const windows = faults
    .filter(({ kind, target }) => target === 'redis' && kind !== 'redis-flush' && kind !== 'redis-full')
    .map(({ kind, began, ended }) => ({
      from: began,
      to: ended + (kind === 'half-open' ? unnoticed : grace),
    }))
  return ({ began, ended }) => windows.some(({ from, to }) => began <= to && ended >= from)
}
