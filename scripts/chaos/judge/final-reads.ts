import type { History, ReadRecord } from '../history.ts'
import type { Knowledge, Known } from './knowledge.ts'
import type { Finding, Judgement } from './verdict.ts'

/** When everything has come to rest, every answer is what is stored: no excuse is left. Each was asked for a few times. */
export function judgeFinalReads({ reads }: History, knowledge: Knowledge): Finding[] {
  const last = new Map(
    reads.filter(({ final }) => final).map((read) => [`${read.kind} ${read.service} ${read.id}`, read]),
  )
  return [...last.values()].flatMap((read): Finding[] => {
    const { kind, service, id, trace, cache = 'no cache status' } = read
    const found = (judgement: Judgement, text: string): Finding => ({
      judgement,
      text: `${kind} of ${service} ${kind === 'list' ? '' : id}, asked when all was at rest, ${text} (${cache}, trace ${trace})`,
    })
    const expected = kind === 'list' || (id !== undefined && knowledge.all.get(id)?.stored) ? 200 : 404
    if (read.status !== expected) return [found('stale', `was answered with ${read.status}`)]
    if (kind === 'enrolments') return read.pending ? [found('pending', `has ${read.pending} pending`)] : []
    return expected === 200 ? differences(read, knowledge).map((text) => found('stale', text)) : []
  })
}

/** In what an answer is not what is stored. */
function differences({ seen, complete, ...read }: ReadRecord, { all }: Knowledge): string[] {
  const stored = [...all.values()].flatMap((known) =>
    known.stored && isMeant(read, known) ? [known.stored] : [],
  )
  const versions = new Map(stored.map(({ id, version }) => [id, version]))
  const shown = new Set(seen.map(({ id }) => id))
  // A page that others follow lacks what they have.
  const lacking = complete === false ? [] : stored.filter(({ id }) => !shown.has(id))
  const wrong = seen.filter(({ id, version }) => versions.get(id) !== version)
  return [
    ...lacking.map(({ id, version }) => `is without ${id}, stored as version ${version}`),
    ...wrong.map(
      ({ id, version }) => `shows version ${version} of ${id}, not ${versions.get(id) ?? 'nothing of it'}`,
    ),
  ]
}

/** Whether an answer to a question is to show one that is stored. */
function isMeant({ kind, service, id }: Pick<ReadRecord, 'kind' | 'service' | 'id'>, known: Known): boolean {
  if (known.service !== service) return false
  if (kind === 'list') return true
  return kind === 'one' ? known.id === id : known.stored?.links[id ?? '']?.present === true
}
