import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { functionName } from '../../shared/spec/names.ts'
import { Cron, type Scheduled, scheduleProblems } from './cron.ts'
import type { Surroundings } from './function-process.ts'

beforeEach(() => {
  // The clock is the test's; what the kernel tells of processes stays as it is.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const scheduled = (full: string, schedule: string): Scheduled => ({
  name: functionName(full),
  trigger: { kind: 'cron', schedule },
})

/** Surroundings whose functions are processes that end at once, and note when each was started. */
function surroundings(): { around: Surroundings; starts: string[] } {
  const starts: string[] = []
  const around = {
    root: '/',
    launcher: {
      launch: ({ full }: { full: string }) => {
        starts.push(`${full} ${new Date().toISOString().slice(5, 16)}`)
        return { command: process.execPath, args: ['-e', ''] }
      },
    },
    guardian: { watch: () => {} },
    output: { follow: () => {}, event: () => {} },
    archive: { keep: () => {} },
    env: () => ({}),
    onCrash: () => {},
  } as unknown as Surroundings
  return { around, starts }
}

test('each function runs at the start and at the ticks of its own schedule, in UTC', async () => {
  vi.setSystemTime('2026-01-01T23:27:10Z')
  const { around, starts } = surroundings()
  const all = [scheduled('students/sweep', '*/15 * * * *'), scheduled('courses/sweep', '5 0 * * *')]
  await using cron = new Cron(all, around)
  const seen = async (until: string): Promise<string[]> => {
    await Promise.all(cron.processes.map(({ exited }) => exited))
    await vi.advanceTimersByTimeAsync(Date.parse(until) - Date.now())
    await Promise.all(cron.processes.map(({ exited }) => exited))
    return starts.splice(0)
  }
  expect(await seen('2026-01-01T23:29:59Z')).toEqual([
    'students/sweep 01-01T23:27',
    'courses/sweep 01-01T23:27',
  ])
  expect(await seen('2026-01-01T23:30:01Z')).toEqual(['students/sweep 01-01T23:30'])
  expect(await seen('2026-01-01T23:45:01Z')).toEqual(['students/sweep 01-01T23:45'])
  expect(await seen('2026-01-02T00:00:01Z')).toEqual(['students/sweep 01-02T00:00'])
  expect(await seen('2026-01-02T00:14:59Z')).toEqual(['courses/sweep 01-02T00:05'])
})

test('a tick during a run is another run after it, and none after the end', async () => {
  vi.setSystemTime('2026-01-01T00:00:30Z')
  const { around, starts } = surroundings()
  const cron = new Cron([scheduled('students/sweep', '* * * * *')], around)
  const [first] = cron.processes
  // No turn of the event loop in which its end could be told.
  vi.advanceTimersByTime(120_000)
  expect(starts).toHaveLength(1)
  await first?.exited
  expect(starts).toHaveLength(2)
  await cron[Symbol.asyncDispose]()
  vi.advanceTimersByTime(120_000)
  expect(starts).toHaveLength(2)
})

test('what dies is swept up after a while, however much else dies meanwhile, and that after it', async () => {
  vi.setSystemTime('2026-01-01T00:00:05Z')
  const { around, starts } = surroundings()
  await using cron = new Cron([scheduled('students/sweep', '0 0 1 1 *')], around)
  const startsOf = async (seconds: number, deaths: readonly number[]): Promise<number> => {
    await Promise.all(cron.processes.map(({ exited }) => exited))
    starts.length = 0
    for (let second = 0; second < seconds; second++) {
      if (deaths.includes(second)) cron.afterDeath()
      await vi.advanceTimersByTimeAsync(1000)
      await Promise.all(cron.processes.map(({ exited }) => exited))
    }
    return starts.length
  }
  expect(await startsOf(7, [0])).toBe(1)
  // One death every few seconds puts nothing off; the last one has its run, too.
  expect(await startsOf(40, [0, 4, 8, 12, 16, 20])).toBe(5)
  expect(await startsOf(20, [])).toBe(0)
})

test.each(['* * * *', '* * * * * *', '61 * * * *', 'often'])('the schedule "%s" is refused', (schedule) => {
  const { name, trigger } = scheduled('students/sweep', schedule)
  const functions = [{ name, dir: '', declaration: { summary: '', trigger, needs: [] } }]
  expect(scheduleProblems(functions)).toEqual([
    `The schedule of students/sweep, "${schedule}", is not one of five cron fields.`,
  ])
})
