import { randomBytes, randomUUID } from 'node:crypto'

/** What the two services have alike, and where they differ. */
export interface Service {
  readonly name: 'students' | 'courses'
  /** `/api/students` */
  readonly path: string
  /** Every text field of the body. */
  readonly texts: readonly string[]
  readonly linkField: 'course_ids' | 'student_ids'
  /** Most entries of the link field. */
  readonly mostLinks: number
  /** The last part of the path to the other side's members. */
  readonly related: 'students' | 'courses'
  /** A valid body, whose names no other has. */
  make(more?: object): Record<string, unknown>
  /** An id that was never given out. */
  absentId(): string
  readonly malformedIds: readonly string[]
}

/** Letters only, so that it can stand in any text field. */
export function unique(): string {
  return `u${randomBytes(8).toString('hex')}`
}

const objectId = (): string => randomBytes(12).toString('hex')

export const students: Service = {
  name: 'students',
  path: '/api/students',
  texts: ['name', 'first_name', 'last_name'],
  linkField: 'course_ids',
  mostLinks: 15,
  related: 'courses',
  make: (more) => ({ name: unique(), first_name: 'Grace', last_name: 'Hopper', ...more }),
  absentId: randomUUID,
  malformedIds: ['1', 'x'.repeat(36), `${randomUUID()}0`, objectId(), `{${randomUUID()}}`],
}

export const courses: Service = {
  name: 'courses',
  path: '/api/courses',
  texts: ['name', 'discipline', 'teacher', 'description'],
  linkField: 'student_ids',
  mostLinks: 60,
  related: 'students',
  make: (more) => ({
    name: unique(),
    discipline: 'Mathematics',
    teacher: 'Ada Lovelace',
    description: 'What the engine can do',
    ...more,
  }),
  absentId: objectId,
  malformedIds: ['1', 'g'.repeat(24), `${objectId()}0`, randomUUID(), 'x'],
}

export const services = [students, courses] as const

export const otherOf = ({ name }: Service): Service => (name === 'students' ? courses : students)
