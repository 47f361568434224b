import type { Side } from '../enrolment/register.ts'
import type { Entity } from './aggregate.ts'

/** What the two sides do alike is written once, over this description of a side. */
export interface Resource<F extends object, View extends object> {
  readonly service: 'students' | 'courses'
  readonly side: Side
  /** `student` */
  readonly noun: string
  /** `/api/students` */
  readonly path: string
  /** The body's and the view's list of the other side's ids. */
  readonly linkField: 'course_ids' | 'student_ids'
  /** An enrolment's field for the other end. */
  readonly otherField: 'course_id' | 'student_id'
  /** Most links that one may have. */
  readonly limit: number
  /** What its ids look like. */
  readonly id: RegExp
  /** An id that was never used and cannot be guessed. */
  readonly newId: () => string
  /** Fields of the body, in the order of the view. */
  readonly fields: readonly (keyof F & string)[]
  readonly view: (entity: Entity<F>) => View
}

/** A valid body: all the fields, and the ids. */
export type Body<F> = F & { readonly [link in 'course_ids' | 'student_ids']?: readonly string[] }

/** Strong; of a representation that has a new version whenever it changes. */
export function etagOf({ version }: { readonly version: number }): string {
  return `"v${version}"`
}
