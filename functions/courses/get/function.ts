import { healthView } from '../../../shared/http/views.ts'
import { defineFunction } from '../../../shared/spec/define-function.ts'
import { courseParams, oneCourse } from '../schemas.ts'

export default defineFunction({
  summary: 'Reads one course, and tells whether the database answers',
  trigger: {
    kind: 'http',
    operations: {
      get: {
        method: 'GET',
        path: '/api/courses/{id}',
        summary: 'Read one course',
        params: courseParams,
        success: { status: 200, description: 'The course', body: oneCourse, headers: ['ETag'] },
        failures: [304, 404, 503],
        cache: 'id',
      },
      // Kept here, for it is the cheapest function of its service.
      health: {
        method: 'GET',
        path: '/api/courses/health',
        summary: 'Whether the database of the courses answers',
        success: { status: 200, description: 'It does', body: healthView },
        failures: [503],
      },
    },
  },
  needs: ['repository'],
})
