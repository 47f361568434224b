import type { Mapping } from '../../../shared/adapters/postgres-rows.ts'
import { type CourseFields, courseFields } from '../domain/course.ts'
import { exactJson } from './exact-json.ts'

/**
 * Courses as documents in the schema `courses`: for where no MongoDB is. The attributes are kept as `json`, not within
 * the `jsonb`, which would sort their keys and so not give back what was sent.
 */
export const postgresCourses: Mapping<CourseFields> = {
  schema: 'courses',
  idType: 'text',
  columns: ({ attributes, ...document }) => ({
    document: JSON.stringify(document),
    attributes: exactJson(attributes),
  }),
  selected: 'e.document, e.attributes',
  // Written by `columns` above, of fields that were valid.
  read: ({ document, attributes }) =>
    ({ ...(document as Omit<CourseFields, 'attributes'>), attributes }) as CourseFields,
  sorts: Object.fromEntries(courseFields.map((field) => [field, `(e.document->>'${field}') collate "C"`])),
}
