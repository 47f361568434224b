import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { coldStarts } from './cold.ts'
import { currentLoad, machineOf } from './machine.ts'
import { type Options, readOptions, UsageError, usage } from './options.ts'
import { listPages } from './pages.ts'
import { machineLines, markdown, summary, table } from './report.ts'
import type { Row, Say } from './result.ts'
import { seed } from './seed.ts'
import { Stage } from './stage.ts'
import { linkToVisible } from './visible.ts'
import { warmLoads } from './warm.ts'

// npm run bench: this program against a bare node:http server, in turns.

const began = performance.now()
const say: Say = (text) =>
  void process.stderr.write(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s  ${text}\n`)

let interrupted = false

async function measure(stage: Stage, options: Options): Promise<Row[]> {
  const { only, quick } = options
  const entities = quick ? 5_000 : 30_000
  const rows: Row[] = []
  if (only.size > 1 || !only.has('pages')) {
    say(`filling tables of ${entities} students and courses`)
    await seed(stage.urls.STUDENTS_URL, 'students', entities)
    await seed(stage.urls.COURSES_URL, 'courses', entities)
  }
  if (only.has('cold')) rows.push(...(await coldStarts(stage, options, say)))
  rows.push(...(await warmLoads(stage, entities, options, say)))
  if (only.has('link')) rows.push(...(await linkToVisible(stage, options, say)))
  if (only.has('pages')) rows.push(...(await listPages(stage, options, say)))
  return rows
}

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args)
  const load = currentLoad()
  if (load > 0.5)
    say(`the load average is ${load.toFixed(2)}: something else runs here, and the figures are its too`)
  await using stage = await Stage.open(say)
  // What is under way fails when its processes end: that is no news then.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      interrupted = true
      void stage[Symbol.asyncDispose]().finally(() => process.exit(1))
    })
  const rows = await measure(stage, options)
  const machine = machineOf(stage, load)
  if (options.json) process.stdout.write(`${JSON.stringify({ machine, rows }, undefined, 2)}\n`)
  else process.stdout.write(`${[...machineLines(machine), '', table(rows), '', summary(rows)].join('\n')}\n`)
  if (!options.write) return
  const how = ['npm run bench --', ...args].join(' ')
  await writeFile(join(stage.root, 'BENCHMARKS.md'), markdown(rows, machine, how))
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = 1
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n${usage}\n`)
  else if (!interrupted) say(error instanceof Error ? (error.stack ?? error.message) : String(error))
}
