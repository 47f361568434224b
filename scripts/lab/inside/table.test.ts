import { expect, it } from 'vitest'
import { table } from './table.ts'

it('shows what was measured, and what failed', () => {
  const text = table(
    {
      starts: [
        { slug: 'students-get', pod: 20, process: 800, serves: 900, answer: 1500, gone: 92.4 },
        { slug: 'students-list', pod: 30, process: 1000, serves: 1700, answer: 1800 },
        { slug: 'courses-get', pod: 25, process: 700, serves: 800, answer: 1200, gone: 90 },
      ],
      enrolments: {
        links: 500,
        written: 12_345,
        settled: 678,
        workers: { 'students-enrol': { most: 3, lag: 120 } },
        gone: 70,
      },
      updates: [
        { slug: 'students-get', asked: 300, lost: 2, took: 4.56 },
        { slug: 'students-list', asked: 200, lost: 0, took: 3 },
      ],
      memory: { 'students-get': { pods: 2, peak: 61 * 2 ** 20, limit: 192 * 2 ** 20, reached: 0 } },
    },
    { passed: 10, failed: 1, failures: [{ title: 'students-get', reason: 'lost two\nmore' }] },
  )
  expect(text).toContain(': 10 passed, 1 failed.\n- FAILED: students-get: lost two\n')
  expect(text).toContain('| to its process serving | 800 ms | 900 ms | 1700 ms |\n')
  expect(text).toContain(
    '| of which the process itself, from begun to serving | 100 ms | 100 ms | 700 ms |\n',
  )
  expect(text).toContain('Back at zero 92 s after')
  expect(text).toContain('61 to 61 MiB (students-get) of 192.')
  expect(text).toContain('500 enrolments, written within 12.3 s, settled 0.7 s later, equal on both sides:\n')
  expect(text).toContain('students-enrol 0-3-0 (lag 120); the last worker was gone after 70 s.')
  expect(text).toContain('2 functions under load: 500 requests, 2 lost, 4.6 s at most.')
})
