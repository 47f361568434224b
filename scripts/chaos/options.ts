import { parseArgs } from 'node:util'
import { allFaults, type FaultKind, faultKinds, isFaultKind } from './faults/kinds.ts'

export interface Options {
  readonly minutes: number
  readonly seed: number
  readonly faults: readonly FaultKind[]
  readonly courses: 'mongodb' | 'postgres'
  /** A history: judged again, and its run run again. */
  readonly replay: string | undefined
  /** Where the numbers are to be written as Markdown. */
  readonly report: string | undefined
}

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const usage = `usage: npm run chaos -- [--minutes N] [--seed S] [--faults LIST] [--courses mongodb|postgres]
         [--replay FILE] [--report FILE]

Runs the whole system on engines of its own, breaks what can break, and judges whether both sides are equal and
nothing acknowledged was lost. Exit code 0 when they are, 1 when not; then the history is kept.
  --minutes N      how long the faults go on (5)
  --seed S         what is done and broken follows from it (a random one)
  --faults LIST    with commas between them, or none; -name leaves one out (all)
  --courses KIND   where courses lie: mongodb or postgres (mongodb)
  --replay FILE    judges a history again, then runs the same seed with the same faults
  --report FILE    writes the numbers as a table in Markdown

faults:
${Object.entries(faultKinds)
  .map(([name, what]) => `  ${name.padEnd(15)} ${what}`)
  .join('\n')}`

/** @throws UsageError with one sentence. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const values = parse(args)
  if (values.help) return 'help'
  const minutes = Number(values.minutes ?? 5)
  if (!(minutes > 0 && minutes <= 24 * 60)) throw new UsageError('--minutes is a number above 0, up to 1440')
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    throw new UsageError('--seed is a whole number from 0 to 4294967295')
  const { courses = 'mongodb' } = values
  if (courses !== 'mongodb' && courses !== 'postgres')
    throw new UsageError('--courses is mongodb or postgres')
  const asked = chosen(values.faults)
  const faults = asked.filter((kind) => kind !== 'kill-mongodb' || courses === 'mongodb')
  if (asked.length > 0 && faults.length === 0)
    throw new UsageError('kill-mongodb breaks nothing while courses lie in Postgres')
  return { minutes, seed, courses, faults, replay: values.replay, report: values.report }
}

function chosen(list: string | undefined): FaultKind[] {
  if (list === undefined) return [...allFaults]
  const names = list.split(',').filter((name) => name !== '')
  // As of a variable that was not set: to break everything is not what an empty list asks for.
  if (names.length === 0)
    throw new UsageError('--faults names no fault: leave it out for all of them, or say none')
  const unknown = names.filter((name) => !isFaultKind(name.replace(/^-/, '')) && name !== 'none')
  if (unknown.length > 0) throw new UsageError(`there is no fault ${unknown.join(', ')}`)
  if (names.includes('none')) return []
  const wanted = names.filter((name) => !name.startsWith('-'))
  return allFaults.filter(
    (kind) => (wanted.length === 0 || wanted.includes(kind)) && !names.includes(`-${kind}`),
  )
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string' },
        seed: { type: 'string' },
        faults: { type: 'string' },
        courses: { type: 'string' },
        replay: { type: 'string' },
        report: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
