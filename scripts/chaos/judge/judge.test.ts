import { describe, expect, test } from 'vitest'
import { judge } from './judge.ts'
import * as answers from './testing/answer-cases.ts'
import { type Crafted, course, crafted, fault, read, seen, student } from './testing/crafted.ts'
import * as equality from './testing/equality-cases.ts'
import * as links from './testing/link-cases.ts'
import * as overruled from './testing/overruled-cases.ts'
import * as reads from './testing/read-cases.ts'
import * as rest from './testing/rest-cases.ts'
import * as writes from './testing/write-cases.ts'
import { judgements } from './verdict.ts'

/** What is found in the innocent run after something of it was spoiled. */
function found(spoil: (run: Crafted) => void): string[] {
  const run = crafted()
  spoil(run)
  return judge(run.history, run).findings.map(({ judgement, text }) => `${judgement}: ${text}`)
}

test('a run in which all is as it should be is innocent', () => {
  expect(found(() => {})).toEqual([])
})

const guilty = [equality, writes, links, overruled, reads, answers, rest].flatMap((of) => of.guilty)
const innocent = [equality, writes, links, overruled, reads, answers, rest].flatMap((of) => of.innocent)

test.each(guilty)('%s is found guilty', (_, judgement, said, spoil) => {
  expect(found(spoil)).toContainEqual(expect.stringMatching(new RegExp(`^${judgement}: .*${said.source}`)))
})

test('there is a guilty run for every judgement', () => {
  expect(new Set(guilty.map(([, judgement]) => judgement))).toEqual(new Set(Object.keys(judgements)))
})

describe('innocent is', () => {
  test.each(innocent)('%s', (_, change) => {
    expect(found(change)).toEqual([])
  })
})

test('a stale answer after a flush of Redis has no excuse', () => {
  const all = found(({ history }) => {
    history.faults.push(fault({ kind: 'redis-flush', began: 38, ended: 42 }))
    history.reads.push(read({ began: 55, seen: [seen(student, 2, 'first', [course])] }))
  })
  expect(all).toHaveLength(1)
})
