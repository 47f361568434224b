import type { Guilty, Innocent } from './case.ts'
import { both, course, fault, ofStudentAs, read, seen, student, unanswered, write } from './crafted.ts'

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
    'a read of what was before a write that Redis had heard of, though it was cut off at the next',
    'stale',
    /was shown as version 1 \(one\) at 55 ms: version 2 was acknowledged at 25 ms/,
    ({ history }) => {
      history.faults.push(fault({ kind: 'cut', began: 38, ended: 42 }))
      history.reads.push(read({ began: 55, seen: [seen(student, 1, 'first')] }))
    },
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
    'answer',
    /was answered with 404, though it had been shown at 5 ms/,
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
    /asked when all was at rest, shows version 4 of .*, not 3/,
    ({ history }) =>
      void history.reads.push(
        read({ began: 920, seen: [seen(student, 4, 'second', [course])], final: true }),
      ),
  ],
  ...(['one', 'list', 'related'] as const).map(
    (kind): Guilty => [
      `nothing (${kind}), when all is at rest`,
      'stale',
      /asked when all was at rest, is without 01a20c7b-b3ab-723b-9f2c-934f944833dd, stored as version 3/,
      ({ history }) => {
        const id = kind === 'related' ? course : student
        history.reads.push(read({ began: 920, kind, id, complete: true, final: true }))
      },
    ],
  ),
  ...(['list', 'related'] as const).map(
    (kind): Guilty => [
      `what was before (${kind}), when all is at rest`,
      'stale',
      /asked when all was at rest, shows version 2 of .*, not 3/,
      ({ history }) => {
        const id = kind === 'related' ? course : student
        const before = seen(student, 2, 'first', [course])
        history.reads.push(read({ began: 920, kind, id, seen: [before], complete: true, final: true }))
      },
    ],
  ),
  [
    'one that is not enrolled, when all is at rest',
    'stale',
    /asked when all was at rest, shows version 3 of .*, not nothing of it/,
    (run) => {
      both(run, { present: false, ts: 101 })
      const more = { kind: 'related', id: course, final: true } as const
      run.history.reads.push(read({ began: 920, seen: [seen(student, 3, 'second', [course])], ...more }))
    },
  ],
  [
    'what had been shown anew and is old again, long after',
    'version',
    /shown as version 3 \(list\) at 121000 ms: version 4 had been shown at 75 ms/,
    (run) => {
      run.history.reads.push(
        read({ began: 70, seen: [seen(student, 4, 'second')] }),
        read({ began: 121_000, kind: 'list', seen: [seen(student, 3, 'second', [course])] }),
      )
    },
  ],
  [
    'the relations of what was deleted',
    'stale',
    /had related at 80 ms: its deletion was acknowledged at 75 ms/,
    ({ history }) => {
      history.writes.push(write({ kind: 'delete', began: 70, service: 'courses', id: course, status: 204 }))
      history.reads.push(read({ began: 80, kind: 'related', id: course }))
    },
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
  [
    'everything as it is stored, when all is at rest',
    ({ history }) => {
      const [one, other] = [seen(student, 3, 'second', [course]), seen(course, 2, 'course', [student])]
      const final = { final: true, complete: true } as const
      history.reads.push(
        read({ began: 920, kind: 'list', seen: [one], ...final }),
        read({ began: 921, kind: 'list', service: 'courses', seen: [other], ...final }),
        read({ began: 922, kind: 'related', id: course, seen: [one], ...final }),
        read({ began: 923, kind: 'related', service: 'courses', id: student, seen: [other], ...final }),
      )
    },
  ],
  ...(
    [
      ['soon after', 100_000, []],
      ['while Redis was away', 200_000, [fault({ kind: 'kill-redis', began: 60, ended: 65 })]],
    ] as const
  ).map(
    ([when, began, faults]): Innocent => [
      `what had been shown anew, and is old again ${when}`,
      (run) => {
        run.history.faults.push(...faults)
        run.history.reads.splice(3, 1)
        run.history.reads.push(
          read({ began: 70, seen: [seen(student, 4, 'third', [course])] }),
          read({ began, kind: 'list', seen: [seen(student, 3, 'second', [course])] }),
        )
        run.history.writes.push(
          write({ kind: 'patch', began: 65, id: student, name: 'third', ...unanswered }),
        )
        ofStudentAs(run, 'third', 4)
      },
    ],
  ),
]
