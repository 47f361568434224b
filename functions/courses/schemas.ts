import * as v from 'valibot'
import { filter, freeObject, idList, listQuery, patchOf, pathId, text } from '../../shared/http/fields.ts'
import { dataOf, enrolmentView, idView, pageOf, timestamps } from '../../shared/http/views.ts'
import { studentRules } from '../students/domain/student.ts'
import { courseKinds, courseRules } from './domain/course.ts'
import { courseBodyExample, courseEnrolmentExamples, courseExamples, coursePatchExample } from './examples.ts'

const name = text(courseRules.nameLength)
const kind = v.picklist(courseKinds, `must be one of ${courseKinds.join(', ')}`)

export const courseBody = v.pipe(
  v.object(
    {
      name,
      discipline: name,
      teacher: name,
      description: text(courseRules.descriptionLength),
      kind: v.optional(kind, 'in_class'),
      attributes: v.optional(freeObject(courseRules.attributes), {}),
      student_ids: v.optional(idList(studentRules.id, 'the id of a student', courseRules.students), []),
    },
    'is required',
  ),
  v.title('CourseInput'),
  v.examples([courseBodyExample]),
)

export const coursePatch = v.pipe(
  patchOf(courseBody),
  v.title('CoursePatch'),
  v.examples([coursePatchExample]),
)

export const courseParams = { id: pathId(courseRules.id) }

export const courseQuery = listQuery(['name', 'discipline', 'teacher', 'description', 'created_at'], {
  name: filter(),
  discipline: filter(),
  teacher: filter(),
  description: filter(),
  kind: v.optional(kind),
})

export const courseView = v.pipe(
  v.object({
    id: idView(courseRules.id),
    name: v.string(),
    discipline: v.string(),
    teacher: v.string(),
    description: v.string(),
    kind,
    attributes: v.record(v.string(), v.unknown()),
    student_ids: v.array(idView(studentRules.id)),
    ...timestamps,
  }),
  v.title('Course'),
  v.examples(courseExamples),
)

export const oneCourse = dataOf(courseView)
export const coursePage = v.pipe(pageOf(courseView), v.title('CoursePage'))
export const manyCourses = dataOf(v.array(courseView))
export const courseEnrolments = dataOf(
  v.array(
    v.pipe(
      enrolmentView('student_id', studentRules.id),
      v.title('CourseEnrolment'),
      v.examples(courseEnrolmentExamples),
    ),
  ),
)
