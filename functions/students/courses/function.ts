import { defineFunction } from '../../../shared/spec/define-function.ts'
import { manyCourses } from '../../courses/schemas.ts'
import { studentEnrolments, studentParams } from '../schemas.ts'

export default defineFunction({
  summary: 'Lists the courses of a student, and the states of its enrolments',
  trigger: {
    kind: 'http',
    operations: {
      courses: {
        method: 'GET',
        path: '/api/students/{id}/courses',
        summary: 'List the courses that have the student enrolled',
        params: studentParams,
        success: { status: 200, description: 'The courses', body: manyCourses },
        failures: [404, 503, 504],
      },
      // Here, for it reads the same two sources.
      enrolments: {
        method: 'GET',
        path: '/api/students/{id}/enrolments',
        summary: 'List the enrolments of a student, each pending, confirmed or rejected',
        params: studentParams,
        success: { status: 200, description: 'The enrolments', body: studentEnrolments },
        failures: [404, 503, 504],
      },
    },
  },
  needs: ['repository', 'lookup'],
})
