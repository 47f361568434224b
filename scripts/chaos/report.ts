import { type FaultKind, faultKinds } from './faults/kinds.ts'
import type { FaultRecord, History, Service } from './history.ts'
import { judgements, type Verdict } from './judge/verdict.ts'
import type { Numbers } from './run.ts'

/** Findings told of one judgement: the history has the rest. */
const mostTold = 10

/** What was found guilty, then a table of the numbers. */
export function report(history: History, verdict: Verdict, numbers?: Numbers): string {
  return [...told(verdict), '', ...table(rowsOf(history, verdict, numbers))].join('\n')
}

/** The numbers alone, as a table in Markdown. */
export function markdown(history: History, verdict: Verdict, numbers: Numbers): string {
  const rows = rowsOf(history, verdict, numbers).map(([name, value]) => {
    const indented = name.startsWith(' ') ? `&ensp;${name.trim()}` : name
    return `| ${indented} | ${value} |`
  })
  return `${['| | |', '|---|---|', ...rows].join('\n')}\n`
}

function told({ findings }: Verdict): string[] {
  return Object.entries(judgements).flatMap(([judgement, meaning]) => {
    const own = findings.filter((finding) => finding.judgement === judgement)
    if (own.length === 0) return []
    const rest = own.length > mostTold ? [`  and ${own.length - mostTold} more`] : []
    return [
      `${judgement} (${own.length}): ${meaning}`,
      ...own.slice(0, mostTold).map(({ text }) => `  ${text}`),
      ...rest,
    ]
  })
}

type Row = readonly [name: string, value: string]

function rowsOf(history: History, { findings, excused }: Verdict, numbers?: Numbers): Row[] {
  const { run, writes, reads, faults } = history
  const count = (outcome: string): string =>
    String(writes.filter((write) => write.outcome === outcome).length)
  const kills = faults.filter(({ kind }) => kind.startsWith('kill-')).length
  const recovery = slowestRecovery(history)
  return [
    ['seed', `${run.seed} (${run.minutes} min, courses in ${run.courses})`],
    ['operations', String(writes.length + reads.length)],
    ['writes', String(writes.length)],
    ['  acknowledged', count('acknowledged')],
    ['  refused', count('refused')],
    ['  indeterminate', count('indeterminate')],
    ['reads', String(reads.length)],
    ['faults', String(faults.length)],
    ...byKind(faults).map(([kind, number]): Row => [`  ${kind}`, String(number)]),
    ['kills', `${kills} (${(kills / run.minutes).toFixed(0)} a minute)`],
    ...(numbers
      ? ([
          ['processes started', String(numbers.started)],
          ['compensations', String(numbers.compensations)],
          ['left to the sweeper', String(numbers.resent)],
          ['messages redelivered', String(numbers.redelivered)],
          ['rest after', seconds(numbers.rest)],
        ] satisfies Row[])
      : []),
    [
      'slowest recovery',
      recovery ? `${seconds(recovery.ms)} (${recovery.fault.kind} of ${recovery.fault.target})` : 'none',
    ],
    [
      'stale, as the contract allows',
      `${excused.count}${excused.count > 0 ? `, longest ${seconds(excused.longest)}` : ''}`,
    ],
    ...Object.keys(judgements).map((judgement): Row => {
      const own = findings.filter((finding) => finding.judgement === judgement)
      return [judgement, String(own.length)]
    }),
    [
      'verdict',
      findings.length === 0 ? 'nothing lost, asymmetric or stale' : `GUILTY: ${findings.length} findings`,
    ],
  ]
}

function byKind(faults: readonly FaultRecord[]): [FaultKind, number][] {
  const order = Object.keys(faultKinds)
  return [...Map.groupBy(faults, ({ kind }) => kind)]
    .map(([kind, own]): [FaultKind, number] => [kind, own.length])
    .toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b))
}

/**
 * The longest time from the end of a fault until both services had each acknowledged a write that began after it. Other
 * faults may have come in between: they count, but for wipes, during which nobody writes.
 */
function slowestRecovery({ writes, faults }: History): { ms: number; fault: FaultRecord } | undefined {
  const good = (service: Service) =>
    writes
      .filter((write) => write.service === service && write.outcome === 'acknowledged')
      .toSorted((a, b) => a.began - b.began)
  const sides = [good('students'), good('courses')]
  const wipes = faults.filter(({ kind }) => kind === 'wipe')
  const recoveries = faults.flatMap((fault) => {
    const ends = sides.map((side) => side.find(({ began }) => began >= fault.ended)?.ended)
    const known = ends.filter((end) => end !== undefined)
    if (known.length < ends.length) return []
    const end = Math.max(...known)
    const held = wipes.map(({ began, ended }) =>
      Math.max(0, Math.min(end, ended) - Math.max(fault.ended, began)),
    )
    return [{ ms: end - fault.ended - held.reduce((sum, ms) => sum + ms, 0), fault }]
  })
  return recoveries.toSorted((a, b) => b.ms - a.ms)[0]
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

function table(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
}
