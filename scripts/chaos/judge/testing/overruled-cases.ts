import type { WriteRecord } from '../../history.ts'
import type { Guilty, Innocent } from './case.ts'
import {
  type Crafted,
  course,
  ofCourse,
  read,
  register,
  seen,
  student,
  unanswered,
  write,
} from './crafted.ts'

/** Of words that their writer had been shown and wrote against. */
export const guilty: readonly Guilty[] = [
  [
    'an enrolment that its student ended after it had been shown',
    'lost',
    /it is there by a word of the other side that had been shown before/,
    (run) => againstWhatItSaw(run),
  ],
  [
    'an enrolment that its student asked for again after its end had been shown',
    'lost',
    /it is gone by a word of the other side that had been shown before/,
    goneAgainstWhatItSaw,
  ],
]

export const innocent: readonly Innocent[] = [
  [
    'an enrolment that the course asked for again while the student ended it',
    (run) =>
      againstWhatItSaw(run, [
        write({
          kind: 'patch',
          began: 41,
          service: 'courses',
          id: course,
          members: [student],
          ...unanswered,
        }),
      ]),
  ],
]

/** The course adds a student, who is shown so and then ends it; what the course says stands all the same. */
function againstWhatItSaw(run: Crafted, more: readonly WriteRecord[] = []): void {
  const { history } = run
  history.writes.splice(
    2,
    2,
    write({
      kind: 'patch',
      began: 20,
      service: 'courses',
      id: course,
      members: [student],
      seen: seen(course, 2, 'course', [student]),
    }),
    write({ kind: 'patch', began: 40, id: student, members: [], seen: seen(student, 3, 'first') }),
    ...more,
  )
  history.reads.splice(
    0,
    history.reads.length,
    read({ began: 30, seen: [seen(student, 2, 'first', [course])] }),
  )
  const links = { [course]: register({ origin: 'C' }) }
  run.snapshot.students.entities.splice(0, 1, { id: student, name: 'first', version: 4, links })
  ofCourse(run, { [student]: register({ origin: 'C' }) })
}

/** The course ends what the student asked for, who is shown so and asks again; it is gone all the same. */
function goneAgainstWhatItSaw({ history, snapshot }: Crafted): void {
  history.writes.splice(
    3,
    1,
    write({
      kind: 'patch',
      began: 40,
      service: 'courses',
      id: course,
      members: [],
      seen: seen(course, 3, 'course'),
    }),
    write({
      kind: 'patch',
      began: 60,
      id: student,
      members: [course],
      seen: seen(student, 4, 'first', [course]),
    }),
  )
  history.reads.splice(0, history.reads.length, read({ began: 50, seen: [seen(student, 3, 'first')] }))
  const gone = register({ present: false, ts: 101, origin: 'C' })
  snapshot.students.entities.splice(0, 1, {
    id: student,
    name: 'first',
    version: 4,
    links: { [course]: gone },
  })
  snapshot.courses.entities.splice(0, 1, {
    id: course,
    name: 'course',
    version: 3,
    links: { [student]: gone },
  })
}
