import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { coldStarts } from './cold.ts'
import { type Cost, costBlock, rowOf, withCosts } from './functions/cost.ts'
import { functionCosts } from './functions/functions.ts'
import { currentLoad, machineOf } from './machine.ts'
import { type Group, type Options, readOptions, UsageError, usage } from './options.ts'
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

interface Measured {
  readonly rows: readonly Row[]
  readonly costs: readonly Cost[]
}

/** Those that have databases of their own. */
const apart: ReadonlySet<Group> = new Set(['pages', 'functions'])

async function measure(stage: Stage, options: Options): Promise<Measured> {
  const { only, quick } = options
  const entities = quick ? 5_000 : 30_000
  const rows: Row[] = []
  if ([...only].some((group) => !apart.has(group))) {
    say(`filling tables of ${entities} students and courses`)
    await seed(stage.urls.STUDENTS_URL, 'students', entities)
    await seed(stage.urls.COURSES_URL, 'courses', entities)
  }
  if (only.has('cold')) rows.push(...(await coldStarts(stage, options, say)))
  rows.push(...(await warmLoads(stage, entities, options, say)))
  if (only.has('link')) rows.push(...(await linkToVisible(stage, options, say)))
  if (only.has('pages')) rows.push(...(await listPages(stage, options, say)))
  const costs = only.has('functions') ? await functionCosts(stage, options, say) : []
  return { rows: [...rows, ...costs.map(rowOf)], costs }
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
  const { rows, costs } = await measure(stage, options)
  const machine = machineOf(stage, load)
  if (options.json) process.stdout.write(`${JSON.stringify({ machine, rows, costs }, undefined, 2)}\n`)
  else process.stdout.write(`${[...machineLines(machine), '', table(rows), '', summary(rows)].join('\n')}\n`)
  const how = ['npm run bench --', ...args].join(' ')
  if (options.write) await writeFile(join(stage.root, 'BENCHMARKS.md'), markdown(rows, machine, how))
  if (!options.writeCosts) return
  const file = join(stage.root, 'deploy.md')
  await writeFile(file, withCosts(await readFile(file, 'utf8'), costBlock(costs, machine, how)))
}

try {
  const args = process.argv.slice(2)
  if (args.includes('--help')) process.stdout.write(`usage: ${usage}\n`)
  else await main(args)
} catch (error) {
  process.exitCode = 1
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n${usage}\n`)
  else if (!interrupted) say(error instanceof Error ? (error.stack ?? error.message) : String(error))
}
