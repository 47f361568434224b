import { parseArgs } from 'node:util'

export const groups = ['cold', 'get', 'gateway', 'post', 'related', 'link', 'pages', 'functions'] as const
export type Group = (typeof groups)[number]

export interface Options {
  readonly only: ReadonlySet<Group>
  readonly json: boolean
  /** Writes BENCHMARKS.md. */
  readonly write: boolean
  /** Writes what every function costs into deploy.md. */
  readonly writeCosts: boolean
  readonly quick: boolean
  /** Spawns for each row of cold starts. */
  readonly spawns: number
  /** Spawns of each function where all of them are measured, and calls in each round of those that are warm. */
  readonly starts: number
  readonly calls: number
  /** Rounds of load for each row, and their length in seconds. */
  readonly rounds: number
  readonly seconds: number
  readonly links: number
  /** Rows of the tables whose pages are read, the smallest first. */
  readonly rows: readonly number[]
  /** Pages read for each kind of page and each table. */
  readonly pages: number
}

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const usage = `npm run bench -- [--quick] [--only ${groups.join(',')}] [--rows 1000,100000] [--spawns N] [--json] [--write] [--write-costs]`

/** Of no use to BENCHMARKS.md, which compares: only where they are asked for. */
const aside: ReadonlySet<Group> = new Set(['functions'])

const whole = {
  spawns: 40,
  starts: 10,
  calls: 1_000,
  rounds: 9,
  seconds: 3,
  links: 300,
  rows: [1_000, 100_000, 1_000_000],
  pages: 100,
} as const
const short = {
  spawns: 5,
  starts: 2,
  calls: 200,
  rounds: 3,
  seconds: 0.7,
  links: 40,
  rows: [1_000, 10_000],
  pages: 15,
} as const

export function readOptions(args: readonly string[]): Options {
  const { values } = parse(args)
  const only = (values.only?.join(',') ?? '').split(',').filter((name) => name !== '')
  const wanted = groups.filter((group) => (only.length === 0 ? !aside.has(group) : only.includes(group)))
  const unknown = only.filter((name) => !wanted.some((group) => group === name))
  if (unknown.length > 0) throw new UsageError(`there is no group ${unknown.join(', ')}`)
  const sizes = values.rows?.split(',').map(Number)
  if (sizes?.some((size) => !(Number.isInteger(size) && size >= 100 && size <= 1_000_000)))
    throw new UsageError('--rows takes whole numbers from 100 to 1000000, with commas between them')
  const rows = sizes?.sort((a, b) => a - b)
  const { quick, json, write, 'write-costs': writeCosts } = values
  if (writeCosts && !wanted.includes('functions'))
    throw new UsageError('--write-costs goes with --only functions')
  return {
    ...(quick ? short : whole),
    ...(rows ? { rows } : {}),
    ...spawnsOf(values.spawns),
    only: new Set(wanted),
    ...{ quick, json, write, writeCosts },
  }
}

function spawnsOf(text: string | undefined): Partial<Pick<Options, 'spawns' | 'starts'>> {
  if (text === undefined) return {}
  const spawns = Number(text)
  if (!(Number.isInteger(spawns) && spawns >= 1 && spawns <= 1000))
    throw new UsageError('--spawns takes a whole number from 1 to 1000')
  return { spawns, starts: spawns }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true },
        rows: { type: 'string' },
        spawns: { type: 'string' },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        'write-costs': { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
