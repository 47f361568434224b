import type { Guilty, Innocent } from './case.ts'
import { both, course, ofStudent, read, register, seen, student, unanswered, write } from './crafted.ts'

/** Of links: what stands, and whose word it is. */
export const guilty: readonly Guilty[] = [
  ['an enrolment that left no register', 'lost', /left no register/, (run) => void ofStudent(run, {})],
  [
    'an enrolment that is gone without a reason',
    'lost',
    /is gone, and nobody took it back/,
    (run) => both(run, { present: false, ts: 101 }),
  ],
  [
    'an enrolment that the other side ended and never wrote so',
    'lost',
    /by a side that never wrote so/,
    (run) => both(run, { present: false, ts: 101, origin: 'C' }),
  ],
  [
    'an enrolment that was ended only before anybody asked for it',
    'lost',
    /by a side that never wrote so/,
    (run) => {
      const answer = seen(course, 2, 'course')
      run.history.writes.push(
        write({
          kind: 'patch',
          began: 16,
          ended: 18,
          service: 'courses',
          id: course,
          members: [],
          seen: answer,
        }),
      )
      both(run, { present: false, ts: 101, origin: 'C' })
    },
  ],
  [
    'an enrolment that was ended by what cannot have been deleted',
    'lost',
    /by a side that never wrote so/,
    (run) => {
      run.history.writes.push(
        write({ kind: 'delete', began: 50, service: 'courses', id: course, ...unanswered }),
      )
      both(run, { present: false, ts: 101, origin: 'C' })
    },
  ],
  [
    'an enrolment that is gone, long after nobody knew what became of another write',
    'lost',
    /is gone, and nobody took it back/,
    (run) => {
      run.history.writes.push(
        write({ kind: 'patch', began: 12, id: student, members: [], ...unanswered }),
        write({
          kind: 'patch',
          began: 70_000,
          id: student,
          members: [course],
          seen: seen(student, 3, 'second', [course]),
        }),
      )
      both(run, { present: false, ts: 101 })
    },
  ],
  [
    'an enrolment that is gone, by a write that is known to have been before it',
    'lost',
    /is gone, and nobody took it back/,
    (run) => {
      // Named so, it had its effect before the last list was written.
      run.history.writes.push(
        write({ kind: 'replace', began: 41, id: student, name: 'between', members: [], ...unanswered }),
        write({
          kind: 'patch',
          began: 70,
          id: student,
          members: [course],
          seen: seen(student, 5, 'between', [course]),
        }),
      )
      run.history.reads.push(read({ began: 60, seen: [seen(student, 4, 'between', [])] }))
      both(run, { present: false, ts: 101 })
    },
  ],
  [
    'an enrolment that was taken back for what is not true',
    'lost',
    /as course_not_found, but 6b053e63520d52559ccd15dd exists/,
    (run) => both(run, { present: false, ts: 101, origin: 'C', reason: 'course_not_found' }),
  ],
  [
    'a course that was never full',
    'lost',
    /as course_full, but only 1 were ever asked for/,
    (run) => both(run, { present: false, ts: 101, origin: 'C', reason: 'course_full' }),
  ],
  [
    'an enrolment that came back after it was ended',
    'lost',
    /stands that its own side does not want any more/,
    ({ history }) => {
      const answer = seen(student, 4, 'second', [])
      history.writes.push(write({ kind: 'patch', began: 70, id: student, members: [], seen: answer }))
    },
  ],
]

export const innocent: readonly Innocent[] = [
  [
    'an enrolment that is gone, a while after nobody knew what became of another write',
    (run) => {
      run.history.writes.push(
        write({ kind: 'patch', began: 12, id: student, members: [], ...unanswered }),
        write({
          kind: 'patch',
          began: 50_000,
          id: student,
          members: [course],
          seen: seen(student, 3, 'second', [course]),
        }),
      )
      both(run, { present: false, ts: 101 })
      const links = { [course]: register({ present: false, ts: 101 }) }
      run.snapshot.students.entities.splice(0, 1, { id: student, name: 'second', version: 4, links })
      run.history.reads.splice(3, 1)
    },
  ],
  [
    'an enrolment that the other side ended',
    (run) => {
      const answer = seen(course, 3, 'course', [])
      run.history.writes.push(
        write({ kind: 'patch', began: 70, service: 'courses', id: course, members: [], seen: answer }),
      )
      ofStudent(run, { [course]: register({ present: false, ts: 101, origin: 'C' }) })
      run.snapshot.students.entities.splice(0, 1, {
        id: student,
        name: 'second',
        version: 4,
        links: { [course]: register({ present: false, ts: 101, origin: 'C' }) },
      })
      run.snapshot.courses.entities.splice(0, 1, {
        id: course,
        name: 'course',
        version: 3,
        links: { [student]: register({ present: false, ts: 101, origin: 'C' }) },
      })
      run.history.reads.splice(3, 1)
    },
  ],
]
