export const courseKinds = ['in_class', 'elective', 'externship'] as const

export type CourseKind = (typeof courseKinds)[number]

/** What is taught, by whom, and whatever else a kind of course has to say of itself. */
export interface CourseFields {
  readonly name: string
  readonly discipline: string
  readonly teacher: string
  readonly description: string
  readonly kind: CourseKind
  readonly attributes: Readonly<Record<string, unknown>>
}

/** A course as clients see it. Times are RFC 3339 in UTC, with milliseconds. */
export interface Course extends CourseFields {
  /** ObjectId: 24 hexadecimal digits, lower case. */
  readonly id: string
  /** Students, in the order of enrolment. */
  readonly student_ids: readonly string[]
  readonly version: number
  readonly created_at: string
  readonly updated_at: string
}

export const courseFields = ['name', 'discipline', 'teacher', 'description', 'kind', 'attributes'] as const

export const courseRules = {
  /** Code points of name, discipline and teacher. */
  nameLength: { min: 3, max: 20 },
  /** Code points. */
  descriptionLength: { min: 3, max: 200 },
  /** Bytes of JSON, and levels of nesting. */
  attributes: { bytes: 16 * 1024, depth: 8 },
  /** Most students of one course. */
  students: 60,
  id: /^[\da-f]{24}$/,
} as const
