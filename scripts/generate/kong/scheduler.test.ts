import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cron } from 'croner'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { type DiscoveredFunction, discoverFunctions } from '../../../shared/spec/discover.ts'
import { schedulerCommand } from './scheduler.ts'

const root = join(import.meta.dirname, '../../..')
const functions = await discoverFunctions(root)
const crons = functions.filter(({ declaration }) => declaration.trigger.kind === 'cron')

/** The declared ones, with this schedule. */
const scheduled = (schedule: string): DiscoveredFunction[] =>
  crons.map((one) => ({
    ...one,
    declaration: { ...one.declaration, trigger: { kind: 'cron', schedule } },
  }))

/** Of the command that Compose runs, once it has made one dollar of two, the URLs that are called at each of these minutes. */
function calledAt(minutes: readonly Date[], command: readonly string[] | undefined): string[][] {
  const [shell = '', flag = '', script = ''] = command ?? []
  const padded = (value: number): string => String(value).padStart(2, '0')
  const clock = minutes.map((at) =>
    [
      ...[at.getUTCMinutes(), at.getUTCHours(), at.getUTCDate(), at.getUTCMonth() + 1].map(padded),
      at.getUTCDay(),
    ].join(' '),
  )
  // In place of the programs, a clock that is read from stdin, and what is called.
  const stubs = `
n=-1
sleep() { read -r now && n=$((n + 1)); }
date() { case "$*" in +%s) echo 0 ;; "-u +%M %H %d %m %w") echo "$now" ;; *) exit 9 ;; esac; }
wget() { for url; do :; done; echo "$n $url"; }
`
  const { stdout, stderr, status } = spawnSync(
    shell,
    [flag, `${stubs}${script.replaceAll('$$', '$')}\nwait`],
    {
      input: clock.map((line) => `${line}\n`).join(''),
      encoding: 'utf8',
    },
  )
  expect([stderr, status]).toEqual(['', 0])
  const called: string[][] = minutes.map(() => [])
  for (const line of stdout.trim().split('\n')) {
    const [place, url = ''] = line.split(' ')
    called[Number(place)]?.push(url)
  }
  return called.map((urls) => urls.sort())
}

const urls = crons.map(({ name }) => `http://${name.slug}:8080/`).sort()

test.each([
  '* * * * *',
  '*/15 * * * *',
  '*/7 2-5 * * *',
  '0 * * * *',
  '0 3 * * *',
  '30 4 1,15 * 5',
  '5-45/20 8-18/2 * 1-6 1-5',
  '59 23 31 12 *',
  '0 0 29 2 *',
])('cron functions are called at the ticks of "%s"', (schedule) => {
  const clock = new Cron(schedule, { mode: '5-part', timezone: 'UTC', paused: true })
  const start = Date.UTC(2028, 1, 28, 22)
  const ticks = Array.from({ length: 5 }, () => 0).reduce<Date[]>((found) => {
    const next = clock.nextRun(found.at(-1) ?? new Date(start))
    return next ? [...found, next] : found
  }, [])
  // The ticks, what is around them, and hours between.
  const minutes = [
    ...Array.from({ length: 30 }, (_, i) => new Date(start + i * 35 * 60_000)),
    ...ticks.flatMap((at) => [-60, -1, 0, 1].map((by) => new Date(at.getTime() + by * 60_000))),
  ]
  const expected = minutes.map((at) => (clock.match(at) ? urls : []))
  expect(expected.flat().length).toBeGreaterThan(0)
  expect(calledAt(minutes, schedulerCommand(scheduled(schedule)))).toEqual(expected)
})

test.each([
  'x',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '* * 0 * *',
  '5-1 * * * *',
  '*/0 * * * *',
  '5/20 * * * *',
  '0 0 * * 7',
])('the schedule "%s" is refused, with the name of its function', (schedule) => {
  expect(() => schedulerCommand(scheduled(schedule))).toThrow(`${crons[0]?.name.full}, "${schedule}"`)
})

test('without cron functions there is nothing to call; with them compose.yaml has the command', () => {
  expect(schedulerCommand([])).toBeUndefined()
  const { services } = parse(readFileSync(join(root, 'kong/compose.yaml'), 'utf8'))
  expect(services.scheduler.command).toEqual(schedulerCommand(functions))
})
