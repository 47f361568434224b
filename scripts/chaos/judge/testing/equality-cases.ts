import type { Guilty } from './case.ts'
import { course, ofCourse, read, register, seen, student, write } from './crafted.ts'

/** Of both sides, and of their limits. */
export const guilty: readonly Guilty[] = [
  ['an enrolment on one side only', 'asymmetric', /the course's nothing/, (run) => void ofCourse(run, {})],
  [
    'an enrolment that the other side took back without telling',
    'asymmetric',
    /course_full/,
    (run) =>
      void ofCourse(run, { [student]: register({ present: false, origin: 'C', reason: 'course_full' }) }),
  ],
  [
    'one enrolment by two registers',
    'asymmetric',
    /"ts":101/,
    (run) => void ofCourse(run, { [student]: register({ ts: 101 }) }),
  ],
  [
    'an enrolment in what was deleted',
    'dangling',
    /does not exist/,
    (run) => {
      run.snapshot.courses.entities.length = 0
      run.history.writes.push(
        write({ kind: 'delete', began: 70, id: course, service: 'courses', status: 204 }),
      )
    },
  ],
  [
    'a course with 61 students at the end',
    'overfull',
    /has 61 links in its store/,
    (run) =>
      void ofCourse(
        run,
        Object.fromEntries(Array.from({ length: 61 }, (_, i) => [`student-${i}`, register()])),
      ),
  ],
  [
    'a student with 16 courses in an answer',
    'overfull',
    /has 16 links in an answer/,
    ({ history }) => {
      const members = Array.from({ length: 16 }, (_, i) => `course-${i}`)
      history.reads.push(read({ began: 55, seen: [seen(student, 4, 'second', members)] }))
    },
  ],
]
