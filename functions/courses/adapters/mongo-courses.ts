import type { MongoMapping } from '../../../shared/adapters/mongo-documents.ts'
import { type CourseFields, courseFields } from '../domain/course.ts'
import { exactJson } from './exact-json.ts'

const texts = courseFields.filter((field) => field !== 'attributes')

/**
 * Courses as documents of the collection `courses`. The attributes are kept as JSON text: they come back exactly as they
 * were sent, which BSON cannot promise (the driver takes an object with the key `_bsontype` for a value of its own and
 * refuses it, and mongo-standin refuses arrays within arrays), and nothing searches in them.
 */
export const mongoCourses: MongoMapping<CourseFields> = {
  collection: 'courses',
  members: 'student_ids',
  write: ({ attributes, ...fields }) => ({ ...fields, attributes: exactJson(attributes) }),
  // Written by `write` above, of fields that were valid.
  read: ({ name, discipline, teacher, description, kind, attributes }) =>
    ({
      name,
      discipline,
      teacher,
      description,
      kind,
      attributes: JSON.parse(String(attributes)),
    }) as CourseFields,
  sorts: texts.filter((field) => field !== 'kind'),
  filters: texts,
}
