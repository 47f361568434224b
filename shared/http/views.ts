import * as v from 'valibot'

/** What every student and course ends with. */
export const timestamps = {
  version: v.pipe(v.number(), v.integer(), v.metadata({ description: 'Counts the changes.', minimum: 1 })),
  created_at: v.pipe(v.string(), v.isoTimestamp()),
  updated_at: v.pipe(v.string(), v.isoTimestamp()),
}

/** Ids in an answer, which are of the form that a pattern says. */
export const idView = (id: RegExp) => v.pipe(v.string(), v.metadata({ pattern: id.source }))

export const dataOf = <const S extends v.GenericSchema>(schema: S) => v.object({ data: schema })

export const pageOf = <const S extends v.GenericSchema>(schema: S) =>
  v.object({
    data: v.array(schema),
    next_cursor: v.nullable(
      v.pipe(
        v.string(),
        v.metadata({
          description: 'For the parameter `cursor` of the next page; null on the last one.',
        }),
        v.examples(['SHVUb1hrc3ZVU1F1TDJYN1sxNzU2NzM0ODEyMDg3LCIwMTk5MGFiZCJd']),
      ),
    ),
  })

/** One enrolment, as one of its ends shows it. */
export const enrolmentView = <const K extends 'course_id' | 'student_id'>(other: K, id: RegExp) =>
  v.object({
    [other]: idView(id),
    state: v.picklist(['pending', 'confirmed', 'rejected']),
    reason: v.optional(
      v.pipe(
        v.picklist(['student_not_found', 'course_not_found', 'course_full', 'student_full']),
        v.metadata({ description: 'Why it was rejected; on rejected ones only.' }),
      ),
    ),
    since: v.pipe(v.string(), v.isoTimestamp()),
  })

export const healthView = v.pipe(
  v.object({ status: v.literal('ok') }),
  v.title('Health'),
  v.examples([{ status: 'ok' }]),
)
