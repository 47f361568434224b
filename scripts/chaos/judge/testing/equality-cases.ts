import type { Guilty, Innocent } from './case.ts'
import { both, course, fault, ofCourse, read, register, seen, student, write } from './crafted.ts'

const wipe = fault({ kind: 'wipe', target: 'nats' })

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
    'one enrolment by two registers, after a wipe',
    'asymmetric',
    /"ts":999/,
    (run) => {
      run.history.faults.push(wipe)
      ofCourse(run, { [student]: register({ ts: 999 }) })
    },
  ],
  [
    'an enrolment that is none by two registers, after a wipe',
    'asymmetric',
    /"ts":999/,
    (run) => {
      run.history.faults.push(wipe)
      both(run, { present: false })
      ofCourse(run, { [student]: register({ present: false, ts: 999 }) })
    },
  ],
  [
    'a reason that only one side knows',
    'asymmetric',
    /course_full/,
    (run) => {
      both(run, { present: false, origin: 'C' })
      ofCourse(run, { [student]: register({ present: false, origin: 'C', reason: 'course_full' }) })
    },
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

export const innocent: readonly Innocent[] = [
  [
    'an enrolment that came and went, and was told to nobody before a wipe',
    (run) => {
      run.history.faults.push(wipe)
      const ended = seen(student, 4, 'second')
      run.history.writes.push(write({ kind: 'patch', began: 70, id: student, members: [], seen: ended }))
      run.snapshot.students.entities.splice(0, 1, {
        id: student,
        name: 'second',
        version: 4,
        links: { [course]: register({ present: false, ts: 101 }) },
      })
      run.snapshot.courses.entities.splice(0, 1, { id: course, name: 'course', version: 1, links: {} })
      run.history.reads.splice(3, 1)
    },
  ],
]
