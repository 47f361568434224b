import type { Machine } from './machine.ts'
import type { Row } from './result.ts'

const headings = ['what', 'measured', 'ratio (quartiles)', 'p50 / p99 ms', 'CPU', 'aim', '', 'original', 'n']

/** What a row says, cell by cell; empty where it has nothing to say. */
function cells({ what, measured, ratio, latency, cpu, aim, original, samples }: Row): string[] {
  return [
    what,
    measured,
    ratio
      ? `${shown(ratio.median)}x${ratio.low === ratio.high ? '' : ` (${shown(ratio.low)}-${shown(ratio.high)})`}`
      : '',
    latency ? `${shown(latency.p50)} / ${shown(latency.p99)}` : '',
    cpu === undefined ? '' : `${shown(cpu)}x`,
    aim?.text ?? '',
    aim ? (aim.met ? 'met' : 'NOT MET') : '',
    original ?? '',
    samples.toLocaleString('en'),
  ]
}

/** Three figures that say something. */
const shown = (value: number): string =>
  value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 0.1
        ? value.toFixed(2)
        : value.toFixed(3)

/** For a terminal. */
export function table(rows: readonly Row[]): string {
  const lines = [headings, ...rows.map(cells)]
  const widths = headings.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function summary(rows: readonly Row[]): string {
  const aimed = rows.filter(({ aim }) => aim)
  const missed = aimed.filter(({ aim }) => !aim?.met)
  const names = missed.map(({ what }) => what).join('; ')
  return `${aimed.length - missed.length} of ${aimed.length} aims met${names ? `; not met: ${names}` : ''}`
}

export function machineLines(machine: Machine): string[] {
  const { date, cpu, cores, memory, system, node, engines, load } = machine
  return [
    `${date}, ${cpu}, ${cores} cores, ${memory}, ${system}`,
    `Node ${node}, ${engines}; load average before the run ${load.toFixed(2)}`,
  ]
}

const markdownRow = (line: readonly string[]): string =>
  `| ${line.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

/** BENCHMARKS.md, whole. */
export function markdown(rows: readonly Row[], machine: Machine, how: string): string {
  return `<!-- Written by \`npm run bench -- --write\`: do not edit. -->

# Benchmarks

The last run, of \`${how}\`: ${machineLines(machine).join('. ')}. ${summary(rows)}.

${markdownRow(headings)}
${markdownRow(headings.map(() => '---'))}
${rows.map((row) => markdownRow(cells(row))).join('\n')}

## How to read it
- Absolute figures are of this machine on this day. What can be compared are the ratios: against a bare \`node:http\`
  server that answers \`hello\` (scripts/bench/hello.cjs), measured in turns with each row: hello, function, hello, ...
  Each measurement of a function is divided by the hellos beside it; the ratio is the median of these, with the quartiles.
- \`CPU\` is the CPU time of the process per request, or of a cold start up to its first answer, against the hello's; what
  the engines and other functions take is not in it. For the gateway it is the gateway's own.
- \`original\` is what the original Go services had on such a machine, in 2026, against the same kind of hello; where the
  row has no ratio, in milliseconds. Empty where it had no such thing or nobody measured it.
- \`n\` is the number of spawns, requests, links or pages behind the row.

## What the rows are
- **Cold start**: from the spawn of a function's process, from its bundle with a primed code cache as in the images, to the
  end of its first answer. A miss has read Redis and Postgres, a hit Redis; a first 201 has connected to NATS too. The
  hello's is the same: spawn to first answer.
- **Memory**: VmRSS of the process after its first answer, and at the end of the load of its row, against the hello's at
  the same moments.
- **GET**: 16 connections, each with one request after the other, from a process of its own, straight to one function
  process. *Cached* answers come from Redis; *each asked once* reads Redis, Postgres, and writes Redis.
- **Gateway**: the same through the gateway of \`npm start\`, with its key check, as a client sees it.
- **POST**: unique names, every answer a 201: a transaction that is on disk, with its outbox entry, and the caches told.
- **Related**: the courses of a student, its own registers from Postgres, the courses over gRPC from another process.
- **Link**: PATCHes that enrol one student each, one after another; the workers are up. A reader asks for the course over
  and over; measured until its answer names the student.
- **List**: one page, read alone and with nothing in the cache, from tables of several sizes in turns; the ratio is the
  largest table's against the smallest's. A page is of 50, or with a filter of as many as the smallest table has. Deep
  pages begin in the middle of the table.

## How to run it
\`${how}\` wrote this file. \`npm run bench\` takes about a quarter of an hour and shows the same table; \`npm run bench -- --quick\`
takes two minutes and shows whether it works, no more. It starts engines, functions and a gateway of its own on loopback,
below a folder of its own, and removes all of it; \`--only\` and \`--rows\` leave things out, \`--json\` has all the figures. Run it on a machine that has nothing else to do.
`
}
