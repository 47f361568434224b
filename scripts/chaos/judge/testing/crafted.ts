import type { Register } from '../../../../shared/enrolment/register.ts'
import { allFaults } from '../../faults/kinds.ts'
import type { FaultRecord, History, ReadRecord, Seen, WriteRecord } from '../../history.ts'
import type { Snapshot, Stored } from '../../snapshot/snapshot.ts'

/*
 * Histories by hand, for the tests of the judge: a student and a course, enrolled from the student's side, renamed and
 * read. All of it is as it should be; each test spoils one thing.
 */

export const student = '01a20c7b-b3ab-723b-9f2c-934f944833dd'
export const course = '6b053e63520d52559ccd15dd'

export interface Crafted {
  history: { -readonly [K in keyof History]: History[K] extends readonly (infer T)[] ? T[] : History[K] }
  snapshot: {
    students: { entities: Stored[]; untold: number }
    courses: { entities: Stored[]; untold: number }
    waiting: Record<string, number>
    deadLetters: Snapshot['deadLetters'][number][]
  }
  quiet: boolean
}

export const register = (of: Partial<Register> = {}): Register => ({
  present: true,
  ts: 100,
  origin: 'S',
  ...of,
})

export function seen(id: string, version: number, name: string, members: readonly string[] = []): Seen {
  return { id, version, name, members }
}

export function write(of: Partial<WriteRecord> & Pick<WriteRecord, 'kind' | 'began'>): WriteRecord {
  const { began } = of
  return {
    type: 'write',
    service: 'students',
    outcome: 'acknowledged',
    status: 200,
    trace: `trace-${began}`,
    ended: began + 5,
    ...of,
  }
}

/** Nobody knows what became of such a write. */
export const unanswered = { status: 0, outcome: 'indeterminate' } as const

export function read(of: Partial<ReadRecord> & Pick<ReadRecord, 'began'>): ReadRecord {
  return {
    type: 'read',
    kind: 'one',
    service: 'students',
    id: student,
    status: 200,
    trace: `trace-${of.began}`,
    seen: [],
    ended: of.began + 5,
    ...of,
  }
}

export function fault(of: Partial<FaultRecord> & Pick<FaultRecord, 'kind'>): FaultRecord {
  return { type: 'fault', target: 'redis', began: 0, ended: 1, ...of }
}

export function crafted(): Crafted {
  const enrolled = seen(student, 2, 'first', [course])
  const renamed = seen(student, 3, 'second', [course])
  return {
    history: {
      run: { type: 'run', seed: 1, minutes: 1, courses: 'postgres', faults: allFaults },
      writes: [
        write({ kind: 'create', began: 0, name: 'first', members: [], seen: seen(student, 1, 'first') }),
        write({
          kind: 'create',
          began: 10,
          service: 'courses',
          name: 'course',
          members: [],
          seen: seen(course, 1, 'course'),
        }),
        write({ kind: 'patch', began: 20, id: student, members: [course], seen: enrolled }),
        write({ kind: 'patch', began: 40, id: student, name: 'second', ifMatch: 2, seen: renamed }),
      ],
      reads: [
        read({ began: 30, seen: [enrolled] }),
        read({ began: 50, seen: [renamed] }),
        read({ began: 60, kind: 'list', seen: [renamed], complete: true }),
        read({ began: 900, seen: [renamed], final: true }),
        read({ began: 910, kind: 'enrolments', pending: 0, final: true }),
      ],
      faults: [],
    },
    snapshot: {
      students: {
        entities: [{ id: student, name: 'second', version: 3, links: { [course]: register() } }],
        untold: 0,
      },
      courses: {
        entities: [{ id: course, name: 'course', version: 2, links: { [student]: register() } }],
        untold: 0,
      },
      waiting: { StudentToModify: 0, CourseModified: 0 },
      deadLetters: [],
    },
    quiet: true,
  }
}

/** The student by another name, and enrolled, in this version. */
export const ofStudentAs = (run: Crafted, name: string, version: number) =>
  run.snapshot.students.entities.splice(0, 1, { id: student, name, version, links: { [course]: register() } })
/** What the student's side has stored of its links. */
export const ofStudent = (run: Crafted, links: Stored['links']) =>
  run.snapshot.students.entities.splice(0, 1, { id: student, name: 'second', version: 3, links })
/** What the course's side has. */
export const ofCourse = (run: Crafted, links: Stored['links']) =>
  run.snapshot.courses.entities.splice(0, 1, { id: course, name: 'course', version: 2, links })
/** Both have this register. */
export const both = (run: Crafted, of: Parameters<typeof register>[0]): void => {
  ofStudent(run, { [course]: register(of) })
  ofCourse(run, { [student]: register(of) })
}
