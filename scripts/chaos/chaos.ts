import { writeFile } from 'node:fs/promises'
import { readHistory } from './history.ts'
import { judge } from './judge/judge.ts'
import { type Options, readOptions, UsageError, usage } from './options.ts'
import { Progress } from './progress.ts'
import { markdown, report } from './report.ts'
import { chaos } from './run.ts'

// npm run chaos: the whole system, broken on purpose, and a judge who says whether it kept its promises.

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort())

/** The options of the run that a history is of, after it was judged again. */
async function again(path: string, to: string | undefined): Promise<Options> {
  const history = await readHistory(path).catch((error: unknown) => {
    throw new UsageError(`${path} is no history: ${error instanceof Error ? error.message : error}`)
  })
  const { end, run } = history
  if (end) console.log(`${report(history, judge(history, end))}\n`)
  else console.log('this history has no end: it cannot be judged, only run again\n')
  return { ...run, replay: path, report: to }
}

async function main(): Promise<boolean> {
  const read = readOptions(process.argv.slice(2))
  if (read === 'help') {
    console.log(usage)
    return true
  }
  const options = read.replay === undefined ? read : await again(read.replay, read.report)
  using progress = new Progress()
  progress.say(`seed ${options.seed}, ${options.minutes} minutes, courses in ${options.courses}`)
  const { history, verdict, numbers, kept } = await chaos(options, progress, stopping.signal)
  console.log(report(history, verdict, numbers))
  if (options.report !== undefined) await writeFile(options.report, markdown(history, verdict, numbers))
  if (kept) console.log(`history ${kept}`)
  return verdict.findings.length === 0
}

try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  process.exitCode = 1
  if (error instanceof UsageError) console.error(error.message)
  else if (!stopping.signal.aborted) console.error(error)
}
