import { courses } from '../../../functions/courses/course-resource.ts'
import type { CourseFields } from '../../../functions/courses/domain/course.ts'
import { students } from '../../../functions/students/student-resource.ts'
import type { Subject } from '../repository-contract.ts'

let count = 0

/** What the contract's tests need to know of courses, wherever they are kept. */
export const courseSubject: Pick<
  Subject<CourseFields>,
  'side' | 'newId' | 'newOther' | 'fields' | 'texts' | 'free'
> = {
  side: 'C',
  newId: courses.newId,
  newOther: students.newId,
  fields: (wanted) => ({
    name: `Course ${++count}`,
    discipline: 'Maths',
    teacher: 'Teacher',
    description: 'A course of the tests',
    kind: 'elective',
    attributes: { room: { floor: count } },
    ...wanted,
  }),
  texts: ['name', 'teacher'],
  free: 'attributes',
}
