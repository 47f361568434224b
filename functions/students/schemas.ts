import * as v from 'valibot'
import { filter, idList, listQuery, patchOf, pathId, text } from '../../shared/http/fields.ts'
import { dataOf, enrolmentView, idView, pageOf, timestamps } from '../../shared/http/views.ts'
import { courseRules } from '../courses/domain/course.ts'
import { studentFields, studentRules } from './domain/student.ts'
import {
  studentBodyExample,
  studentEnrolmentExamples,
  studentExamples,
  studentPatchExample,
} from './examples.ts'

const name = text(studentRules.nameLength)

export const studentBody = v.pipe(
  v.object(
    {
      name,
      first_name: name,
      last_name: name,
      course_ids: v.optional(idList(courseRules.id, 'the id of a course', studentRules.courses), []),
    },
    'is required',
  ),
  v.title('StudentInput'),
  v.examples([studentBodyExample]),
)

export const studentPatch = v.pipe(
  patchOf(studentBody),
  v.title('StudentPatch'),
  v.examples([studentPatchExample]),
)

export const studentParams = { id: pathId(studentRules.id) }

export const studentQuery = listQuery([...studentFields, 'created_at'], {
  name: filter(),
  first_name: filter(),
  last_name: filter(),
})

export const studentView = v.pipe(
  v.object({
    id: idView(studentRules.id),
    name: v.string(),
    first_name: v.string(),
    last_name: v.string(),
    course_ids: v.array(idView(courseRules.id)),
    ...timestamps,
  }),
  v.title('Student'),
  v.examples(studentExamples),
)

export const oneStudent = dataOf(studentView)
export const studentPage = v.pipe(pageOf(studentView), v.title('StudentPage'))
export const manyStudents = dataOf(v.array(studentView))
export const studentEnrolments = dataOf(
  v.array(
    v.pipe(
      enrolmentView('course_id', courseRules.id),
      v.title('StudentEnrolment'),
      v.examples(studentEnrolmentExamples),
    ),
  ),
)
