import type { Guilty, Innocent } from './case.ts'
import { course, ofCourse, ofStudentAs, register, seen, student, unanswered, write } from './crafted.ts'

/** Of what was acknowledged, but for links. */
export const guilty: readonly Guilty[] = [
  [
    'a creation that was acknowledged and is not there',
    'lost',
    /was acknowledged, never deleted, and is not stored/,
    (run) => {
      run.snapshot.students.entities.length = 0
      ofCourse(run, {})
    },
  ],
  [
    'a deletion that was acknowledged and is not',
    'lost',
    /though its deletion was acknowledged/,
    ({ history }) => void history.writes.push(write({ kind: 'delete', began: 70, id: student, status: 204 })),
  ],
  [
    'something that nobody made',
    'lost',
    /nobody created it/,
    ({ snapshot }) => void snapshot.courses.entities.push({ id: 'other', name: 'n', version: 1, links: {} }),
  ],
  [
    'fields that went back to what they were',
    'lost',
    /is named first at the end: second was acknowledged/,
    ({ snapshot }) =>
      void snapshot.students.entities.splice(0, 1, {
        id: student,
        name: 'first',
        version: 3,
        links: { [course]: register() },
      }),
  ],
  [
    'fields of a write of which nobody knows, long before the last one',
    'lost',
    /is named early at the end: second was acknowledged/,
    (run) => {
      const [early, last] = [40, 70_000]
      run.history.writes.push(
        write({ kind: 'patch', began: early, id: student, name: 'early', ...unanswered }),
        write({ kind: 'patch', began: last, id: student, name: 'second', seen: seen(student, 4, 'second') }),
      )
      ofStudentAs(run, 'early', 5)
    },
  ],
  [
    'a write that was lost to another, which was superseded later',
    'lost',
    /v4 is named first again, after second was written/,
    (run) => {
      const [undone, mended] = [seen(student, 4, 'first', [course]), seen(student, 5, 'third', [course])]
      run.history.writes.push(
        write({ kind: 'patch', began: 70, id: student, members: [course], seen: undone }),
        write({ kind: 'patch', began: 80, id: student, name: 'third', seen: mended }),
      )
      ofStudentAs(run, 'third', 5)
    },
  ],
  [
    'a version that went back',
    'lost',
    /has version 2 at the end: 3 was acknowledged/,
    ({ snapshot }) =>
      void snapshot.students.entities.splice(0, 1, {
        id: student,
        name: 'second',
        version: 2,
        links: { [course]: register() },
      }),
  ],
  [
    'two creations of one',
    'lost',
    /one creation, course, made 2/,
    ({ snapshot }) =>
      void snapshot.courses.entities.push({ id: 'other', name: 'course', version: 1, links: {} }),
  ],
  [
    'two answers to one Idempotency-Key',
    'lost',
    /the Idempotency-Key k was answered with/,
    ({ history }) => {
      for (const id of [student, 'other'])
        history.writes.push(
          write({ kind: 'create', began: 1, name: 'first', key: 'k', seen: seen(id, 1, 'first') }),
        )
    },
  ],
  [
    'an answer without what was written',
    'lost',
    /shows others in its answer/,
    ({ history }) => {
      const answer = seen(student, 4, 'second', [])
      history.writes.push(write({ kind: 'patch', began: 70, id: student, members: [course], seen: answer }))
    },
  ],
  [
    'a write that overtook a later one',
    'lost',
    /after a higher one had been acknowledged/,
    ({ history }) => {
      const answer = seen(student, 2, 'first', [course])
      history.writes.push(write({ kind: 'patch', began: 100, id: student, members: [course], seen: answer }))
    },
  ],
  [
    'If-Match that was not heeded',
    'lost',
    /with If-Match v1 that made version 3/,
    ({ history }) => {
      const answer = seen(student, 3, 'second', [course])
      history.writes.splice(
        3,
        1,
        write({ kind: 'patch', began: 40, id: student, name: 'second', ifMatch: 1, seen: answer }),
      )
    },
  ],
  [
    'a write after the deletion',
    'lost',
    /after its deletion was acknowledged/,
    ({ history }) =>
      void history.writes.push(write({ kind: 'delete', began: 25, ended: 26, id: student, status: 204 })),
  ],
]

export const innocent: readonly Innocent[] = [
  [
    'an indeterminate write that had its effect',
    ({ history, snapshot }) => {
      history.writes.push(
        write({
          kind: 'patch',
          began: 70,
          id: student,
          name: 'third',
          status: 0,
          outcome: 'indeterminate',
        }),
      )
      snapshot.students.entities.splice(0, 1, {
        id: student,
        name: 'third',
        version: 4,
        links: { [course]: register() },
      })
      history.reads.splice(3, 1)
    },
  ],
  [
    'an indeterminate write that had none',
    ({ history }) =>
      void history.writes.push(
        write({
          kind: 'patch',
          began: 70,
          id: student,
          members: [],
          status: 502,
          outcome: 'indeterminate',
        }),
      ),
  ],
  [
    'an indeterminate creation that nobody has heard of again',
    ({ history }) =>
      void history.writes.push(
        write({ kind: 'create', began: 70, name: 'new', status: 0, outcome: 'indeterminate' }),
      ),
  ],
]
