import { poison } from '../../faults/poison-mark.ts'
import type { Guilty, Innocent } from './case.ts'
import { course, fault, read, seen, student, write } from './crafted.ts'

/** Of versions, of what is left over, and of what nobody foresaw. */
export const guilty: readonly Guilty[] = [
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
    'what never rests',
    'pending',
    /something was under way for as long as anybody looked/,
    (run) => {
      run.quiet = false
    },
  ],
  [
    'poison that was to kill and is merely unreadable',
    'dead-letter',
    /the poison killer-1 killed nobody: it cannot be decoded/,
    ({ history, snapshot }) => {
      history.faults.push(fault({ kind: 'poison-killer', detail: { marks: ['killer-1'] } }))
      const payload = poison('killer-1').toString('latin1')
      snapshot.deadLetters.push({ subject: 'course.modified', reason: 'it cannot be decoded', payload })
    },
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

export const innocent: readonly Innocent[] = [
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
