import type { Sample } from '../cold.ts'
import type { Machine } from '../machine.ts'
import { machineLines } from '../report.ts'
import type { Row } from '../result.ts'
import { median, quantile, spread } from '../statistics.ts'
import type { Subject, Warm } from './subject.ts'

/** What one function takes, as measured. */
export interface Cost extends Pick<Subject, 'trigger' | 'per'> {
  readonly name: string
  /** From nothing, and a hello beside each. */
  readonly starts: readonly Sample[]
  readonly hellos: readonly Sample[]
  readonly warm?: Warm
}

/** For the report: one line for each function. */
export function rowOf(cost: Cost): Row {
  const { name, trigger, starts, hellos } = cost
  const against = (of: (sample: Sample) => number) =>
    spread(starts.map((sample, i) => of(sample) / of(hellos[i] ?? sample)))
  const times = starts.map(({ ms }) => ms)
  return {
    group: 'functions',
    what: `${name}: ${trigger}`,
    measured: `${ofStart(starts)} ms (hello ${ofStart(hellos)}), ${ofMemory(starts)} MB, ${cpuOf(cost)}`,
    ratio: against(({ ms }) => ms),
    latency: { p50: median(times), p99: quantile(times, 0.99) },
    cpu: against(({ cpu }) => cpu).median,
    samples: starts.length,
  }
}

const ofStart = (samples: readonly Sample[]): string => median(samples.map(({ ms }) => ms)).toFixed(0)
const ofMemory = (samples: readonly Sample[]): string =>
  median(samples.map(({ memory }) => memory)).toFixed(0)

/** `112 µs a request, 41 µs cached`; of what runs to its end the whole process. */
function cpuOf({ per, starts, warm }: Cost): string {
  const { fresh, again } = warm ?? { fresh: median(starts.map(({ cpu }) => cpu)) }
  return `${time(fresh)} a ${per}${again === undefined ? '' : `, ${time(again)} cached`}`
}

const time = (seconds: number): string =>
  seconds < 0.001
    ? `${(seconds * 1e6).toFixed(0)} µs`
    : `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`

const begin = /^<!-- costs: written by .* -->$/m
const end = /^<!-- costs: end -->$/m

/** The part of deploy.md between its marks, these included. */
export function costBlock(costs: readonly Cost[], machine: Machine, how: string): string {
  const hellos = costs.flatMap((cost) => cost.hellos)
  const [first] = costs
  return [
    `<!-- costs: written by \`${how}\`, this part whole -->`,
    `${machineLines(machine).join('. ')}. Medians of ${first?.starts.length} starts; the bare \`node:http\``,
    `server of BENCHMARKS.md, started beside each, took ${ofStart(hellos)} ms and ${ofMemory(hellos)} MiB.`,
    '',
    line('function', 'trigger', 'start, ms', 'memory, MiB', 'CPU per request, message or run'),
    line('---', '---', '--:', '--:', '---'),
    ...costs.map((cost) =>
      line(cost.name, `\`${cost.trigger}\``, ofStart(cost.starts), ofMemory(cost.starts), cpuOf(cost)),
    ),
    '<!-- costs: end -->',
  ].join('\n')
}

const line = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/** deploy.md with this part in place of the one that it has. */
export function withCosts(text: string, block: string): string {
  const [from, to] = [begin.exec(text), end.exec(text)]
  if (!from || !to || to.index < from.index)
    throw new Error(
      'deploy.md has no place for the costs: it is between two comments, as cost.ts writes them',
    )
  return text.slice(0, from.index) + block + text.slice(to.index + to[0].length)
}
