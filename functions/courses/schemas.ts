import * as v from 'valibot'
import { filter, freeObject, idList, listQuery, patchOf, pathId, text } from '../../shared/http/fields.ts'
import { dataOf, enrolmentView, pageOf, timestamps } from '../../shared/http/views.ts'
import { studentRules } from '../students/domain/student.ts'
import { courseKinds, courseRules } from './domain/course.ts'

const name = text(courseRules.nameLength)
const kind = v.picklist(courseKinds, `must be one of ${courseKinds.join(', ')}`)

export const courseBody = v.object(
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
)

export const coursePatch = patchOf(courseBody)

export const courseParams = { id: pathId(courseRules.id) }

export const courseQuery = listQuery(['name', 'discipline', 'teacher', 'description', 'created_at'], {
  name: filter(),
  discipline: filter(),
  teacher: filter(),
  description: filter(),
  kind: v.optional(kind),
})

export const courseView = v.object({
  id: v.string(),
  name: v.string(),
  discipline: v.string(),
  teacher: v.string(),
  description: v.string(),
  kind,
  attributes: v.record(v.string(), v.unknown()),
  student_ids: v.array(v.string()),
  ...timestamps,
})

export const oneCourse = dataOf(courseView)
export const coursePage = pageOf(courseView)
export const manyCourses = dataOf(v.array(courseView))
export const courseEnrolments = dataOf(v.array(enrolmentView('student_id')))
