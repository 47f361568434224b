import type { History, ReadRecord, WriteRecord } from '../history.ts'
import { type Knowledge, mayBeDeleted } from './knowledge.ts'
import type { Finding } from './verdict.ts'

/** Each answer by itself: it shows what was asked for, and refuses only what is to be refused. */
export function judgeAnswers({ writes, reads }: History, knowledge: Knowledge): Finding[] {
  return [...writes, ...reads].flatMap((exchange): Finding[] => {
    const { type, kind, service, id, began, status, trace } = exchange
    const problem = isRefusal(status) ? unfounded(exchange, knowledge) : without(exchange)
    if (problem === undefined) return []
    const asked = `a ${type} (${kind}) of ${service} ${id ?? ''}`.trimEnd()
    const text = `${asked} at ${Math.round(began)} ms was answered with ${status}, ${problem} (trace ${trace})`
    return [{ judgement: 'answer', text }]
  })
}

const isRefusal = (status: number): boolean => status >= 400 && status < 500

/** What an answer does not show, though it says that all is well. */
function without(exchange: ReadRecord | WriteRecord): string | undefined {
  const { kind, status, id, seen = [] } = exchange
  if (status < 200 || status >= 300 || kind === 'delete') return undefined
  const [shown] = 'version' in seen ? [seen] : seen
  if (kind === 'enrolments') return 'pending' in exchange ? undefined : 'and no enrolments'
  if (kind === 'list' || kind === 'related') return undefined
  if (!shown) return 'and does not show it'
  return id === undefined || shown.id === id ? undefined : `and shows ${shown.id}`
}

function unfounded(exchange: ReadRecord | WriteRecord, knowledge: Knowledge): string | undefined {
  const { kind, status, id } = exchange
  if (status === 404 && id !== undefined) return notMissing(id, exchange, knowledge)
  if (status === 412 && exchange.type === 'write' && exchange.ifMatch !== undefined)
    return notOvertaken(exchange, exchange.ifMatch, knowledge)
  // The one before it is still being served.
  if (status === 409 && kind === 'create' && exchange.key !== undefined) return undefined
  return 'though it was as it should be'
}

/** An error of a database is never "does not exist". */
function notMissing(
  id: string,
  { began, ended }: ReadRecord | WriteRecord,
  { all, shown }: Knowledge,
): string | undefined {
  const first = shown.get(id)?.[0]
  const known = all.get(id)
  if (!first || first.ended >= began || !known || mayBeDeleted(known, ended)) return undefined
  return `though it had been shown at ${Math.round(first.ended)} ms and was not deleted`
}

/** Versions only go up: one that had been shown before, and is not exceeded after it, was the right one all the while. */
function notOvertaken(
  { id = '', began, ended }: WriteRecord,
  version: number,
  { all, shown }: Knowledge,
): string | undefined {
  const least = shown.get(id)?.findLast((one) => one.ended < began)?.version ?? 0
  const known = all.get(id)
  const later = (known?.acknowledged ?? []).filter((write) => write.began > ended && write.kind !== 'create')
  // A new name makes a version of its own.
  const before = later.map(({ name, seen }) => (name === undefined ? seen.version : seen.version - 1))
  const most = Math.min(known?.stored?.version ?? Number.POSITIVE_INFINITY, ...before)
  return least >= version && most <= version ? `though v${version} was its version` : undefined
}
