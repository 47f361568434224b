import { expect, test } from 'vitest'
import { reported } from './report.ts'
import type { Shot } from './shot.ts'

const key = 'topsecret-0123'

function told(pieces: Shot['pieces'], what = 'nothing'): string {
  const shot: Shot = { family: 'valid', pieces, pause: 1, ends: false, asks: [] }
  const found = [{ rule: 'a rule', what, shot, times: 1 }]
  return reported({ sent: 1, found, statuses: new Map(), families: new Map() }, 1, key)
}

test.each([
  [['x-api-key: topsecret-0123\r\nq: 1'], ['"x-api-key: **************\\r\\nq: 1"']],
  // However it is sent.
  [
    ['x-api-key: top', 'secret-0', '123\r\nq: 1'],
    ['"x-api-key: ***"', '"********"', String.raw`"***\r\nq: 1"`],
  ],
  [['9\r\n"k": "tops\r\na\r\necret-0123"'], [String.raw`"9\r\n\"k\": \"*******************\""`]],
  [['x-api-key: topsecret-01'], ['"x-api-key: ************"']],
  [['x-api-key: wrong, stop'], ['"x-api-key: wrong, stop"']],
])('%j is shown as %j', (pieces, shown) => {
  const lines = told(pieces).split('\n')
  for (const line of shown) expect(lines).toContain(`    ${line}`)
})

test('an answer that repeats the key is shown without it', () => {
  expect(told([''], `who is ${key}?`)).toContain('  who is **************?\n')
})
