import { defineFunction } from '../../../shared/spec/define-function.ts'
import { manyStudents } from '../../students/schemas.ts'
import { courseEnrolments, courseParams } from '../schemas.ts'

export default defineFunction({
  summary: 'Lists the students of a course, and the states of its enrolments',
  trigger: {
    kind: 'http',
    operations: {
      students: {
        method: 'GET',
        path: '/api/courses/{id}/students',
        summary: 'List the students that have the course enrolled',
        params: courseParams,
        success: { status: 200, description: 'The students', body: manyStudents },
        failures: [404, 503, 504],
      },
      // Here, for it reads the same two sources.
      enrolments: {
        method: 'GET',
        path: '/api/courses/{id}/enrolments',
        summary: 'List the enrolments of a course, each pending, confirmed or rejected',
        params: courseParams,
        success: { status: 200, description: 'The enrolments', body: courseEnrolments },
        failures: [404, 503, 504],
      },
    },
  },
  needs: ['repository', 'lookup'],
})
