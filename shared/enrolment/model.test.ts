import { describe, expect, test } from 'vitest'
import { type Kept, newer, type Rules, registerOf, rules } from './model.ts'
import { code, compared } from './model-code.ts'
import { Explorer, type Scope } from './model-explorer.ts'
import { compareRegisters, type Register } from './register.ts'

const oneLink = { students: 1, courses: 1, limits: { S: 1, C: 1 } }
/** Two students, and a course that has room for one. */
const oneSeat = { students: 2, courses: 1, limits: { S: 1, C: 1 } }
/** A student that may have one of two courses. */
const oneChoice = { students: 1, courses: 2, limits: { S: 1, C: 1 } }

const scopes = {
  'one link, written by both sides within a tick or two': { ...oneLink, writes: 4, duplicates: 1, ticks: 1 },
  'one link, one clock ahead': { ...oneLink, writes: 4, skew: 2, ticks: 2 },
  'one link, both ends deleted': { ...oneLink, writes: 3, deletions: 2, duplicates: 1 },
  'one link, collected much too early': { ...oneLink, writes: 3, collections: 1, duplicates: 1, ticks: 1 },
  'one link, a message lost and told again': { ...oneLink, writes: 3, losses: 1, duplicates: 1, ticks: 1 },
  'one seat for two': { ...oneSeat, writes: 4 },
  'one seat for two, a message twice': { ...oneSeat, writes: 3, duplicates: 1 },
  'one seat for two, one clock ahead': { ...oneSeat, writes: 3, skew: 1, ticks: 1 },
  'one seat for two, one of the three deleted': { ...oneSeat, writes: 3, deletions: 1 },
  'one seat for two, a message lost and told again': { ...oneSeat, writes: 3, losses: 1 },
  'one seat for two, collected much too early': { ...oneSeat, writes: 3, collections: 1, duplicates: 1 },
  'one choice of two, a message twice': { ...oneChoice, writes: 3, duplicates: 1 },
} satisfies Record<string, Scope>

describe('in every order, the code does what the model does, and Q1 to Q4 hold', () => {
  test.each(Object.entries(scopes))('%s', (_, scope) => {
    const { states, ends } = new Explorer(compared(code, rules), scope).explore()
    // A scope in which nothing happens would hold as well.
    expect([states > 3000, ends > 100]).toEqual([true, true])
  })
})

describe('rules that are not these do not hold', () => {
  const applying = (apply: Rules['apply']): Rules => ({ ...rules, apply })
  /** With something else for what the rules would store or reply. */
  const otherwise = (
    change: (did: ReturnType<Rules['apply']>, kept: Kept | undefined) => ReturnType<Rules['apply']>,
  ): Rules => applying((me, kept, ...rest) => change(rules.apply(me, kept, ...rest), kept))

  const broken: readonly (readonly [string, keyof typeof scopes, Rules, RegExp])[] = [
    [
      'of two of one time, each side keeps its own',
      'one link, written by both sides within a tick or two',
      applying((me, kept, id, message, ...rest) =>
        kept && registerOf(kept, id).ts === message.ts ? {} : rules.apply(me, kept, id, message, ...rest),
      ),
      /^Q[14]: /,
    ],
    [
      'what came last stands',
      'one link, written by both sides within a tick or two',
      applying((_me, kept, _id, message) => (kept ? { stores: message } : {})),
      /gets an older register/,
    ],
    [
      'a write takes the time of the clock alone',
      'one link, written by both sides within a tick or two',
      {
        ...rules,
        write: (me, kept, wanted, now) =>
          rules.write(me, kept, wanted, now).map(([id, one]) => [id, { ...one, ts: now * 1000 + 1 }]),
      },
      /gets an older register/,
    ],
    [
      'a compensation has the time of what it takes back',
      'one link, both ends deleted',
      otherwise((did, kept) =>
        kept || !did.replies ? did : { replies: { ...did.replies, ts: did.replies.ts - 1 } },
      ),
      /^the two sides do not come to rest/,
    ],
    [
      'nothing is taken back for what does not exist',
      'one link, both ends deleted',
      otherwise((did, kept) => (kept ? did : {})),
      /^Q2: /,
    ],
    ['a deletion tells nobody', 'one link, both ends deleted', { ...rules, end: () => [] }, /^Q2: /],
    [
      'a remove of what is not known is not kept',
      'one link, written by both sides within a tick or two',
      applying((me, kept, id, message, ...rest) =>
        kept && !message.present && !kept.links.has(id) ? {} : rules.apply(me, kept, id, message, ...rest),
      ),
      /^Q[14]: /,
    ],
    [
      'nobody counts',
      'one seat for two',
      applying((me, kept, id, message, now) =>
        rules.apply(me, kept, id, message, now, Number.POSITIVE_INFINITY),
      ),
      /^Q3: C0 is over its limit/,
    ],
    [
      'a rejection is told to nobody',
      'one seat for two',
      otherwise((did) => (did.stores?.reason ? { stores: did.stores } : did)),
      /^Q1: /,
    ],
    [
      'a rejection has no reason',
      'one seat for two',
      otherwise((did) => {
        if (!did.stores?.reason) return did
        const { reason: _, ...bare } = did.stores
        return { stores: bare, replies: bare }
      }),
      /^Q4: .* without a reason/,
    ],
    [
      'what is forgotten leaves no floor',
      'one link, collected much too early',
      { ...rules, collect: (kept, now) => ({ ...rules.collect(kept, now), floor: kept.floor }) },
      /forgets what .* was, and is older/,
    ],
    [
      'what is out of date gets no reply',
      'one link, collected much too early',
      otherwise((did, kept) => (kept && did.replies && !did.stores ? {} : did)),
      /^Q1: /,
    ],
  ]
  test.each(broken)('%s', (_, scope, other, fault) => {
    expect(() => new Explorer(other, scopes[scope]).explore()).toThrow(fault)
  })
})

test('the order is the same, also of what no order of steps brings together', () => {
  const all = [0, 1, 2].flatMap((ts) =>
    (['', 'C', 'S', 'Z'] as const).flatMap((origin) =>
      [true, false].map((present): Register => ({ present, ts, origin })),
    ),
  )
  for (const a of all)
    for (const b of all) expect([a, b, compareRegisters(a, b) > 0]).toEqual([a, b, newer(a, b)])
})

test('a difference between the code and the model is told with its input', () => {
  const other: Rules = { ...rules, apply: (_me, _kept, _id, message) => ({ stores: message }) }
  expect(() => new Explorer(compared(code, other), scopes['one seat for two']).explore()).toThrow(
    /^the code and the model differ in apply\("C", .*stores -\d+Ccourse_full replies .*, not stores/,
  )
})
