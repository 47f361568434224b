import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Machine } from '../machine.ts'
import { type Cost, costBlock, rowOf, withCosts } from './cost.ts'

const hellos = [
  { ms: 50, memory: 48, cpu: 0.05 },
  { ms: 60, memory: 48, cpu: 0.05 },
  { ms: 55, memory: 48, cpu: 0.05 },
]
const starts = hellos.map(({ ms, memory, cpu }) => ({ ms: 2 * ms, memory: memory + 10, cpu: 1.5 * cpu }))
const get: Cost = {
  name: 'students/get',
  trigger: 'GET /api/students/{id}',
  per: 'request',
  starts,
  hellos,
  warm: { fresh: 112e-6, again: 41.4e-6 },
}
const enrol: Cost = {
  name: 'students/enrol',
  trigger: 'course.modified',
  per: 'message',
  starts,
  hellos,
  warm: { fresh: 1.26e-3 },
}
const sweep: Cost = { name: 'students/sweep', trigger: 'cron * * * * *', per: 'run', starts, hellos }

const machine: Machine = {
  date: '2026-11-30',
  cpu: 'a processor',
  cores: 2,
  memory: '24 GB',
  system: 'Linux',
  node: 'v24',
  engines: 'Postgres 18',
  load: 0.214,
}

describe('a row of the report', () => {
  it('has all three, and the start against the hellos beside it', () => {
    expect(rowOf(get)).toEqual({
      group: 'functions',
      what: 'students/get: GET /api/students/{id}',
      measured: '110 ms (hello 55), 58 MB, 112 µs a request, 41 µs cached',
      ratio: { median: 2, low: 2, high: 2 },
      latency: { p50: 110, p99: expect.closeTo(119.8) },
      cpu: expect.closeTo(1.5),
      samples: 3,
    })
  })

  it('has the whole CPU time of what runs to its end', () => {
    expect(rowOf(sweep).measured).toBe('110 ms (hello 55), 58 MB, 75 ms a run')
  })
})

describe('the part of deploy.md', () => {
  const block = costBlock([get, enrol, sweep], machine, 'npm run bench -- --only functions --write-costs')

  it('is a table with date, machine and load', () => {
    expect(block.split('\n')).toEqual([
      '<!-- costs: written by `npm run bench -- --only functions --write-costs`, this part whole -->',
      expect.stringMatching(
        /^2026-11-30, a processor, 2 cores.*load average before the run 0\.21\. .* 3 starts/,
      ),
      expect.stringContaining('55 ms and 48 MiB'),
      '',
      '| function | trigger | start, ms | memory, MiB | CPU per request, message or run |',
      '| --- | --- | --: | --: | --- |',
      '| students/get | `GET /api/students/{id}` | 110 | 58 | 112 µs a request, 41 µs cached |',
      '| students/enrol | `course.modified` | 110 | 58 | 1.3 ms a message |',
      '| students/sweep | `cron * * * * *` | 110 | 58 | 75 ms a run |',
      '<!-- costs: end -->',
    ])
  })

  it('takes the place of the one before, and of nothing else', () => {
    const before = costBlock([get], { ...machine, date: '2025-01-01' }, 'another command')
    const around = (part: string): string => `# Deploying\n\n${part}\n\nA process has $& of it.\n`
    expect(withCosts(around(before), block)).toBe(around(block))
    expect(withCosts(around(block), block)).toBe(around(block))
  })

  it('is not written where there is no place for it', () => {
    for (const text of ['', block.replace(/<!-- costs: end.*/, ''), block.split('\n').reverse().join('\n')])
      expect(() => withCosts(text, block)).toThrow('no place')
  })

  it('has its place', async () => {
    const text = await readFile(join(import.meta.dirname, '../../../deploy.md'), 'utf8')
    const written = withCosts(text, block)
    expect(written).toContain(block)
    expect(written.match(/<!-- costs: /g)?.length).toBe(2)
  })
})
