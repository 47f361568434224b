import * as v from 'valibot'
import { courseRules } from '../courses/domain/course.ts'
import { filter, idList, listQuery, patchOf, pathId, text } from '../../shared/http/fields.ts'
import { dataOf, enrolmentView, pageOf, timestamps } from '../../shared/http/views.ts'
import { studentFields, studentRules } from './domain/student.ts'

const name = text(studentRules.nameLength)

export const studentBody = v.object(
  {
    name,
    first_name: name,
    last_name: name,
    course_ids: v.optional(idList(courseRules.id, 'the id of a course', studentRules.courses), []),
  },
  'is required',
)

export const studentPatch = patchOf(studentBody)

export const studentParams = { id: pathId(studentRules.id) }

export const studentQuery = listQuery([...studentFields, 'created_at'], {
  name: filter(),
  first_name: filter(),
  last_name: filter(),
})

export const studentView = v.object({
  id: v.string(),
  name: v.string(),
  first_name: v.string(),
  last_name: v.string(),
  course_ids: v.array(v.string()),
  ...timestamps,
})

export const oneStudent = dataOf(studentView)
export const studentPage = pageOf(studentView)
export const manyStudents = dataOf(v.array(studentView))
export const studentEnrolments = dataOf(v.array(enrolmentView('course_id')))
