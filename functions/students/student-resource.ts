import { randomBytes } from 'node:crypto'
import { v7 } from 'uuid'
import type { Resource } from '../../shared/resource/resource.ts'
import { type Student, type StudentFields, studentFields, studentRules } from './domain/student.ts'

export const students: Resource<StudentFields, Student> = {
  service: 'students',
  side: 'S',
  noun: 'student',
  path: '/api/students',
  linkField: 'course_ids',
  otherField: 'course_id',
  limit: studentRules.courses,
  id: studentRules.id,
  // Random in every bit but the time's: the package's own counter would make the next id easy to guess.
  newId: () => v7({ random: randomBytes(16) }),
  fields: studentFields,
  view: ({ id, fields, members, version, createdAt, updatedAt }) => ({
    id,
    ...fields,
    course_ids: members,
    version,
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
  }),
}
