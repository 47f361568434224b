import { currentLoad, machineOf } from '../../bench/machine.ts'
import { quantile } from '../../bench/statistics.ts'
import type { Enrolled } from './enrolments.ts'
import type { Start } from './from-zero.ts'
import type { Observed } from './observer.ts'
import type { Updated } from './rolling.ts'

export interface Measured {
  readonly starts: readonly Start[]
  readonly enrolments: Enrolled | undefined
  readonly updates: readonly Updated[]
  /** By slug. */
  readonly memory: Readonly<Record<string, Observed>>
}

export interface Sum {
  readonly passed: number
  readonly failed: number
  readonly failures: readonly { readonly title: string; readonly reason: string }[]
}

/** What deploy.md shows of a run. */
export function table(measured: Measured, { passed, failed, failures }: Sum): string {
  const { date, cpu, cores, memory, system, load } = machineOf({ versions: {} }, currentLoad())
  return [
    `${date}, ${cpu}, ${cores} cores, ${memory}, ${system}; load average ${load.toFixed(1)}: ${passed} passed, ${failed} failed.`,
    ...failures.map(({ title, reason }) => `- FAILED: ${title}: ${reason.split('\n')[0]}`),
    '',
    ...fromZero(measured),
    '',
    ...enrolled(measured.enrolments),
    '',
    ...updated(measured.updates),
    '',
  ].join('\n')
}

function fromZero({ starts, memory }: Measured): string[] {
  const over = (title: string, of: (start: Start) => number): string => {
    const [least, middle, most] = [0, 0.5, 1].map((q) => Math.round(quantile(starts.map(of), q)))
    return row(title, `${least} ms`, `${middle} ms`, `${most} ms`)
  }
  const all = Object.entries(memory).toSorted(([, a], [, b]) => b.peak - a.peak)
  const peaks = all.map(([, { peak }]) => mib(peak))
  const [most, { limit } = { limit: 0 }] = all[0] ?? ['']
  return [
    row(`${starts.length} functions, from zero`, 'fastest', 'median', 'slowest'),
    row('---', '---', '---', '---'),
    over('request to pod made', ({ pod }) => pod),
    over('to its process begun', ({ process }) => process),
    over('to its process serving', ({ serves }) => serves),
    over('to the first answer, at the client', ({ answer }) => answer),
    over('of which the process itself, from begun to serving', ({ process, serves }) => serves - process),
    '',
    `Back at zero ${Math.round(Math.max(...starts.map(({ gone = 0 }) => gone)))} s after the last answer, at most. Memory of a pod at`,
    `most, without pages of files: ${quantile(peaks, 0)} to ${quantile(peaks, 1)} MiB (${most}) of ${mib(limit)}.`,
  ]
}

function enrolled(enrolments: Enrolled | undefined): string[] {
  if (!enrolments) return []
  const { links, written, settled, workers, gone } = enrolments
  const scaled = Object.entries(workers).map(([slug, { most, lag }]) => `${slug} 0-${most}-0 (lag ${lag})`)
  return [
    `${links} enrolments, written within ${seconds(written)}, settled ${seconds(settled)} later, equal on both sides:`,
    `${scaled.join(', ')}; the last worker was gone after ${gone.toFixed(0)} s.`,
  ]
}

function updated(updates: readonly Updated[]): string[] {
  const asked = updates.reduce((sum, one) => sum + one.asked, 0)
  const lost = updates.reduce((sum, one) => sum + one.lost, 0)
  const longest = Math.max(0, ...updates.map(({ took }) => took))
  return [
    `Rolling updates of ${updates.length} functions under load: ${asked} requests, ${lost} lost, ${longest.toFixed(1)} s at most.`,
  ]
}

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
