import { randomBytes } from 'node:crypto'
import type { Resource } from '../../shared/resource/resource.ts'
import { type Course, type CourseFields, courseFields, courseRules } from './domain/course.ts'

export const courses: Resource<CourseFields, Course> = {
  service: 'courses',
  side: 'C',
  noun: 'course',
  path: '/api/courses',
  linkField: 'student_ids',
  otherField: 'student_id',
  limit: courseRules.students,
  id: courseRules.id,
  // An ObjectId whose last eight bytes are random: the driver's own counter would make the next id easy to guess.
  newId: () => {
    const id = Buffer.concat([Buffer.alloc(4), randomBytes(8)])
    id.writeUInt32BE(Math.floor(Date.now() / 1000))
    return id.toString('hex')
  },
  fields: courseFields,
  // Field by field: a store may give them in another order, and one ETag stands for one sequence of bytes.
  view: ({ id, fields, members, version, createdAt, updatedAt }) => ({
    id,
    name: fields.name,
    discipline: fields.discipline,
    teacher: fields.teacher,
    description: fields.description,
    kind: fields.kind,
    attributes: fields.attributes,
    student_ids: members,
    version,
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
  }),
}
