import * as v from 'valibot'

/** What every student and course ends with. */
export const timestamps = {
  version: v.pipe(v.number(), v.integer()),
  created_at: v.pipe(v.string(), v.isoTimestamp()),
  updated_at: v.pipe(v.string(), v.isoTimestamp()),
}

export const dataOf = <const S extends v.GenericSchema>(schema: S) => v.object({ data: schema })

export const pageOf = <const S extends v.GenericSchema>(schema: S) =>
  v.object({ data: v.array(schema), next_cursor: v.nullable(v.string()) })

/** One enrolment, as one of its ends shows it. */
export const enrolmentView = <const K extends 'course_id' | 'student_id'>(other: K) =>
  v.object({
    [other]: v.string(),
    state: v.picklist(['pending', 'confirmed', 'rejected']),
    reason: v.optional(v.picklist(['student_not_found', 'course_not_found', 'course_full', 'student_full'])),
    since: v.pipe(v.string(), v.isoTimestamp()),
  })

export const healthView = v.object({ status: v.literal('ok') })
