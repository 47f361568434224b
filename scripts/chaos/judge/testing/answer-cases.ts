import type { WriteRecord } from '../../history.ts'
import type { Guilty, Innocent } from './case.ts'
import { course, ofStudentAs, read, seen, student, unanswered, write } from './crafted.ts'

const refused = (
  status: number,
  of: Partial<WriteRecord> & Pick<WriteRecord, 'kind' | 'began'>,
): WriteRecord => write({ id: student, ...of, status, outcome: 'refused' })

/** Of each answer by itself: what is refused, and what is not shown. */
export const guilty: readonly Guilty[] = [
  ...(['replace', 'patch', 'delete'] as const).map(
    (kind): Guilty => [
      `a ${kind} that does not find what is there`,
      'answer',
      /was answered with 404, though it had been shown at 5 ms and was not deleted/,
      ({ history }) => void history.writes.push(refused(404, { kind, began: 70 })),
    ],
  ),
  ...(['one', 'enrolments', 'related'] as const).map(
    (kind): Guilty => [
      `${kind} of what is there, not found`,
      'answer',
      /was answered with 404, though it had been shown/,
      ({ history }) => {
        const service = kind === 'related' ? 'courses' : 'students'
        history.reads.push(read({ began: 70, kind, service, status: 404 }))
      },
    ],
  ),
  [
    'not finding what was deleted only later',
    'answer',
    /was answered with 404, though it had been shown/,
    ({ history }) =>
      void history.writes.push(
        refused(404, { kind: 'patch', began: 60 }),
        write({ kind: 'delete', began: 70, id: student, status: 204 }),
      ),
  ],
  [
    'the refusal of the right version',
    'answer',
    /was answered with 412, though v3 was its version/,
    ({ history }) => void history.writes.push(refused(412, { kind: 'patch', began: 70, ifMatch: 3 })),
  ],
  [
    'the refusal of a version that a later write replaced',
    'answer',
    /was answered with 412, though v3 was its version/,
    (run) => {
      const next = seen(student, 4, 'third', [course])
      run.history.writes.push(
        refused(412, { kind: 'patch', began: 70, ifMatch: 3 }),
        write({ kind: 'patch', began: 80, id: student, name: 'third', seen: next }),
      )
      ofStudentAs(run, 'third', 4)
    },
  ],
  [
    'the refusal of what is valid',
    'answer',
    /a write \(create\) of students at 70 ms was answered with 422, though it was as it should be/,
    ({ history }) =>
      void history.writes.push(
        write({ kind: 'create', began: 70, name: 'new', status: 422, outcome: 'refused' }),
      ),
  ],
  [
    'a conflict of a write that has no key',
    'answer',
    /was answered with 409/,
    ({ history }) => void history.writes.push(refused(409, { kind: 'patch', began: 70 })),
  ],
  [
    'a creation that is not shown',
    'answer',
    /answered with 201, and does not show it/,
    ({ history }) =>
      void history.writes.push(write({ kind: 'create', began: 70, name: 'new', members: [], status: 201 })),
  ],
  [
    'a change that is not shown',
    'answer',
    /answered with 200, and does not show it/,
    ({ history }) => void history.writes.push(write({ kind: 'patch', began: 70, id: student, name: 'new' })),
  ],
  [
    'a read that shows nothing',
    'answer',
    /answered with 200, and does not show it/,
    ({ history }) => void history.reads.push(read({ began: 70 })),
  ],
  [
    'a read that shows another',
    'answer',
    /answered with 200, and shows 6b053e63520d52559ccd15dd/,
    ({ history }) =>
      void history.reads.push(read({ began: 70, seen: [seen(course, 2, 'course', [student])] })),
  ],
  [
    'enrolments without any list',
    'answer',
    /answered with 200, and no enrolments/,
    ({ history }) => void history.reads.push(read({ began: 70, kind: 'enrolments' })),
  ],
]

export const innocent: readonly Innocent[] = [
  [
    'not finding what was never there, or not yet',
    ({ history }) => {
      history.reads.push(read({ began: 70, id: 'other', status: 404 }), read({ began: 2, status: 404 }))
    },
  ],
  [
    'not finding what is about to be deleted, or may have been',
    (run) => {
      run.history.writes.push(
        refused(404, { kind: 'patch', began: 68, ended: 73 }),
        write({ kind: 'delete', began: 70, id: student, ...unanswered }),
        refused(404, { kind: 'delete', began: 80 }),
      )
      run.history.reads.splice(3)
      run.history.reads.push(read({ began: 90, status: 404 }))
      run.snapshot.students.entities.length = 0
      run.snapshot.courses.entities.splice(0, 1, { id: course, name: 'course', version: 3, links: {} })
    },
  ],
  [
    'the refusal of a version that is not, or may not be, the right one',
    (run) => {
      const next = seen(student, 4, 'third', [course])
      run.history.writes.push(
        refused(412, { kind: 'patch', began: 70, ifMatch: 2 }),
        refused(412, { kind: 'patch', began: 80, ifMatch: 3 }),
        write({ kind: 'patch', began: 82, id: student, name: 'third', seen: next }),
      )
      ofStudentAs(run, 'third', 4)
      run.history.reads.splice(3, 1)
    },
  ],
  [
    'a creation that is still being served',
    ({ history }) =>
      void history.writes.push(
        write({ kind: 'create', began: 70, name: 'new', key: 'k', status: 409, outcome: 'refused' }),
      ),
  ],
]
