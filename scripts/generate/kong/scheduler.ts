import type { DiscoveredFunction } from '../../../shared/spec/discover.ts'

/**
 * The command of a container that calls cron functions at the ticks of their schedules, in UTC, as a CronJob does on a
 * cluster. Busybox' own crond needs root; the images of functions have no shell, and a container that may start others
 * would need Docker's socket. Undefined when there is none to call.
 *
 * @throws Error for a schedule that is not one of five fields of numbers, lists, ranges and steps
 */
export function schedulerCommand(functions: readonly DiscoveredFunction[]): string[] | undefined {
  const calls = functions.flatMap(({ name, declaration: { trigger } }) =>
    trigger.kind === 'cron'
      ? [`  { ${dueAt(trigger.schedule, name.full)}call http://${name.slug}:8080/; } &`]
      : [],
  )
  if (calls.length === 0) return undefined
  // A call that fails, or meets a run under way, is made up for by the next.
  const script = `
among() { case " $2 " in *" $1 "*) ;; *) return 1 ;; esac; }
call() { wget -q -T 60 -O /dev/null --post-data= "$1" || echo "$1 failed"; }
while sleep $((60 - $(date +%s) % 60)); do
  set -- $(date -u '+%M %H %d %m %w')
${calls.join('\n')}
done
`
  return ['sh', '-c', script.trim().replaceAll('$', '$$$$')]
}

interface Field {
  readonly least: number
  readonly most: number
  readonly digits: number
}

/** As `date` writes them, and as Kubernetes reads them. */
const fields: readonly Field[] = [
  { least: 0, most: 59, digits: 2 },
  { least: 0, most: 23, digits: 2 },
  { least: 1, most: 31, digits: 2 },
  { least: 1, most: 12, digits: 2 },
  { least: 0, most: 6, digits: 1 },
]

/** Conditions of the shell, whose $1 to $5 are minute, hour, day, month and weekday, each with its `&&`. */
function dueAt(schedule: string, name: string): string {
  const written = schedule.trim().split(/\s+/)
  const expanded = fields.map((field, place) => valuesOf(written[place] ?? '', field))
  if (written.length !== fields.length || expanded.includes(undefined))
    throw new Error(
      `the schedule of ${name}, "${schedule}", is not one of five cron fields of numbers, lists, ranges and steps`,
    )
  const [minute, hour, day, month, weekday] = expanded.map((values, place) =>
    /^\*(\/1)?$/.test(written[place] ?? '') ? undefined : `among "$${place + 1}" '${values?.join(' ')}'`,
  )
  // Cron's own rule: where both days are given, either will do.
  const days = day && weekday ? `{ ${day} || ${weekday}; }` : (day ?? weekday)
  return [minute, hour, days, month].flatMap((test) => (test === undefined ? [] : `${test} && `)).join('')
}

/** Every value that a field names, or undefined where it is not a field. */
function valuesOf(text: string, { least, most, digits }: Field): string[] | undefined {
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const [, any, first, last, step] = /^(?:(\*)|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part) ?? []
    // A step without an end is read in different ways by the platforms, or not at all.
    if (first && step && !last) return undefined
    const from = any ? least : Number(first)
    const to = any ? most : Number(last ?? first)
    const by = Number(step ?? 1)
    if (!(least <= from && from <= to && to <= most && by >= 1)) return undefined
    for (let value = from; value <= to; value += by) values.add(value)
  }
  return [...values].sort((a, b) => a - b).map((value) => String(value).padStart(digits, '0'))
}
