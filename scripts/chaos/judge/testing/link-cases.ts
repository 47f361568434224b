import type { Guilty, Innocent } from './case.ts'
import { both, course, ofStudent, register, seen, student, write } from './crafted.ts'

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
    ({ history, ...run }) => {
      history.writes.splice(
        1,
        1,
        write({
          kind: 'create',
          began: 10,
          service: 'courses',
          name: 'course',
          seen: seen(course, 1, 'course'),
        }),
      )
      both({ history, ...run }, { present: false, ts: 101, origin: 'C' })
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
