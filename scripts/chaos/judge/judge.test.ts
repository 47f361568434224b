import { describe, expect, test } from 'vitest'
import { poison } from '../faults/poison-mark.ts'
import { type Crafted, course, crafted, fault, read, register, seen, student, write } from './crafted.ts'
import { judge } from './judge.ts'
import { type Judgement, judgements } from './verdict.ts'

/** What is found in the innocent run after something of it was spoiled. */
function found(spoil: (run: Crafted) => void): string[] {
  const run = crafted()
  spoil(run)
  return judge(run.history, run.snapshot).findings.map(({ judgement, text }) => `${judgement}: ${text}`)
}

const ofStudent = (run: Crafted, links: Crafted['snapshot']['students']['entities'][number]['links']) =>
  run.snapshot.students.entities.splice(0, 1, { id: student, name: 'second', version: 3, links })
const ofCourse = (run: Crafted, links: Crafted['snapshot']['students']['entities'][number]['links']) =>
  run.snapshot.courses.entities.splice(0, 1, { id: course, name: 'course', version: 2, links })
const both = (run: Crafted, of: Parameters<typeof register>[0]): void => {
  ofStudent(run, { [course]: register(of) })
  ofCourse(run, { [student]: register(of) })
}

test('a run in which all is as it should be is innocent', () => {
  expect(found(() => {})).toEqual([])
})

type Case = readonly [what: string, judgement: Judgement, said: RegExp, spoil: (run: Crafted) => void]

const guilty: readonly Case[] = [
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
    'one version with two contents',
    'version',
    /v3 was shown as/,
    ({ history }) =>
      void history.reads.push(read({ began: 55, seen: [seen(student, 3, 'other', [course])] })),
  ],
  [
    'an outbox entry that nobody tells',
    'pending',
    /1 left in the outbox of courses/,
    ({ snapshot }) => {
      snapshot.courses.untold = 1
    },
  ],
  [
    'a message that nobody takes',
    'pending',
    /2 left in the stream CourseModified/,
    ({ snapshot }) => {
      snapshot.waiting['CourseModified'] = 2
    },
  ],
  [
    'an enrolment that stays pending',
    'pending',
    /has 1 pending/,
    ({ history }) =>
      void history.reads.push(read({ began: 920, kind: 'enrolments', pending: 1, final: true })),
  ],
  [
    'a dead letter that was no poison',
    'dead-letter',
    /that was no poison is a dead letter: 8 tries failed/,
    ({ snapshot }) =>
      void snapshot.deadLetters.push({
        subject: 'course.modified',
        reason: '8 tries failed',
        payload: 'abc',
      }),
  ],
  [
    'poison that is nowhere',
    'dead-letter',
    /the poison bytes-1 is no dead letter/,
    ({ history }) =>
      void history.faults.push(fault({ kind: 'poison-bytes', detail: { marks: ['bytes-1'] } })),
  ],
  [
    'an error that nobody foresaw',
    'internal',
    /was answered with 500/,
    ({ history }) =>
      void history.writes.push(
        write({ kind: 'patch', began: 70, id: student, name: 'x', status: 500, outcome: 'indeterminate' }),
      ),
  ],
]

test.each(guilty)('%s is found guilty', (_, judgement, said, spoil) => {
  expect(found(spoil)).toContainEqual(expect.stringMatching(new RegExp(`^${judgement}: .*${said.source}`)))
})

test('there is a guilty run for every judgement', () => {
  expect(new Set(guilty.map(([, judgement]) => judgement))).toEqual(new Set(Object.keys(judgements)))
})

describe('innocent is', () => {
  const innocent: readonly [what: string, spoil: (run: Crafted) => void][] = [
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
    [
      'a stale answer after a write while Redis was cut off',
      ({ history }) => {
        history.faults.push(fault({ kind: 'cut', began: 38, ended: 42 }))
        history.reads.push(read({ began: 55, seen: [seen(student, 2, 'first', [course])] }))
      },
    ],
    [
      'poison among the dead letters',
      ({ history, snapshot }) => {
        history.faults.push(fault({ kind: 'poison-bytes', detail: { marks: ['bytes-1'] } }))
        snapshot.deadLetters.push({
          subject: 'course.modified',
          reason: 'no',
          payload: poison('bytes-1').toString('latin1'),
        })
      },
    ],
  ]

  test.each(innocent)('%s', (_, spoil) => {
    expect(found(spoil)).toEqual([])
  })
})

test('a stale answer after a flush of Redis has no excuse', () => {
  const all = found(({ history }) => {
    history.faults.push(fault({ kind: 'redis-flush', began: 38, ended: 42 }))
    history.reads.push(read({ began: 55, seen: [seen(student, 2, 'first', [course])] }))
  })
  expect(all).toHaveLength(1)
})
