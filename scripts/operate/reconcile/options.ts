import { parseArgs } from 'node:util'
import { parsing, UsageError } from '../command.ts'

export interface Options {
  readonly repair: boolean
  /** One student or course alone. */
  readonly id: string | undefined
  /** Longest wait for what is under way, in milliseconds. */
  readonly patience: number
  readonly json: boolean
}

export const usage = `usage: npm run reconcile -- [--check | --repair] [--id ID] [--wait SECONDS] [--json]

Compares the students' store with the courses', and tells every enrolment in which they differ although nothing about it is
on its way any more. Works on the servers of STUDENTS_URL, COURSES_URL and EVENTS_URL, or of the npm start beside it.
  --check         only tells; what is done without any of the two
  --repair        has both sides told of what they do not know: the later word of each enrolment stands on both
  --id ID         only what concerns this student or course
  --wait SECONDS  longest wait for what is on its way: 90 by default, since a sweeper runs every minute
  --json          a JSON object a line, the last one a summary
Exit code 0: equal; 2: they differ, after a repair still; 1: it could not be found out, or not be repaired.`

/** A UUID or an ObjectId in lower-case digits, as everywhere. */
const anId = /^([\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}|[\da-f]{24})$/

export function readOptions(args: readonly string[]): Options {
  const { values } = parsing(() =>
    parseArgs({
      args: [...args],
      options: {
        check: { type: 'boolean', default: false },
        repair: { type: 'boolean', default: false },
        id: { type: 'string' },
        wait: { type: 'string', default: '90' },
        json: { type: 'boolean', default: false },
      },
    }),
  )
  const { check, repair, id, wait, json } = values
  if (check && repair) throw new UsageError('Give --check or --repair, not both.')
  if (id !== undefined && !anId.test(id))
    throw new UsageError(`"${id}" is not the id of a student or a course.`)
  if (!/^\d{1,5}$/.test(wait)) throw new UsageError(`--wait takes whole seconds, not "${wait}".`)
  return { repair, id, patience: Number(wait) * 1000, json }
}
