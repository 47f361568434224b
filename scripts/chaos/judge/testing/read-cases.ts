import type { Guilty, Innocent } from './case.ts'
import { course, fault, read, seen, student, write } from './crafted.ts'

/** Of answers, during the run and when all was at rest. */
export const guilty: readonly Guilty[] = [
  [
    'a read of what was before',
    'stale',
    /was shown as version 2 \(one\) at 55 ms: version 3 was acknowledged at 45 ms/,
    ({ history }) =>
      void history.reads.push(read({ began: 55, seen: [seen(student, 2, 'first', [course])] })),
  ],
  [
    'an embedded one of before',
    'stale',
    /shown as version 1 \(related\)/,
    ({ history }) =>
      void history.reads.push(
        read({ began: 55, kind: 'related', id: course, seen: [seen(student, 1, 'first')] }),
      ),
  ],
  [
    'a list without what was created',
    'stale',
    /the list of students at 55 ms is without/,
    ({ history }) => void history.reads.push(read({ began: 55, kind: 'list', complete: true })),
  ],
  [
    'not finding what was created',
    'stale',
    /was not found at 55 ms/,
    ({ history }) => void history.reads.push(read({ began: 55, status: 404 })),
  ],
  [
    'a read of what was deleted',
    'stale',
    /its deletion was acknowledged at 75 ms/,
    ({ history }) => {
      history.writes.push(write({ kind: 'delete', began: 70, id: student, status: 204 }))
      history.reads.push(read({ began: 80, seen: [seen(student, 3, 'second', [course])] }))
    },
  ],
  [
    'another answer than what is stored, when all is at rest',
    'stale',
    /asked when all was at rest, shows version 4, not 3/,
    ({ history }) =>
      void history.reads.push(
        read({ began: 920, seen: [seen(student, 4, 'second', [course])], final: true }),
      ),
  ],
  [
    'no answer, when all is at rest',
    'stale',
    /was answered with 503/,
    ({ history }) => void history.reads.push(read({ began: 920, status: 503, final: true })),
  ],
  [
    'an enrolment that stays pending',
    'pending',
    /has 1 pending/,
    ({ history }) =>
      void history.reads.push(read({ began: 920, kind: 'enrolments', pending: 1, final: true })),
  ],
]

export const innocent: readonly Innocent[] = [
  [
    'a stale answer after a write while Redis was cut off',
    ({ history }) => {
      history.faults.push(fault({ kind: 'cut', began: 38, ended: 42 }))
      history.reads.push(read({ began: 55, seen: [seen(student, 2, 'first', [course])] }))
    },
  ],
]
