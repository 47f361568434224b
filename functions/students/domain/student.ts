/** What a student is called; the three together are nobody else's. */
export interface StudentFields {
  readonly name: string
  readonly first_name: string
  readonly last_name: string
}

/** A student as clients see it. Times are RFC 3339 in UTC, with milliseconds. */
export interface Student extends StudentFields {
  /** UUIDv7, lower case. */
  readonly id: string
  /** Courses, in the order of enrolment. */
  readonly course_ids: readonly string[]
  readonly version: number
  readonly created_at: string
  readonly updated_at: string
}

export const studentFields = ['name', 'first_name', 'last_name'] as const

export const studentRules = {
  /** Code points of each name. */
  nameLength: { min: 3, max: 20 },
  /** Most courses of one student. */
  courses: 15,
  id: /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/,
} as const
