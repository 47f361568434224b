import { defineFunction } from '../../../shared/spec/define-function.ts'
import { courseBody, oneCourse } from '../schemas.ts'

export default defineFunction({
  summary: 'Creates a course',
  trigger: {
    kind: 'http',
    operations: {
      create: {
        method: 'POST',
        path: '/api/courses',
        summary: 'Create a course',
        body: courseBody,
        success: {
          status: 201,
          description: 'The new course',
          body: oneCourse,
          headers: ['ETag', 'Location'],
        },
        failures: [400, 409, 413, 415, 422, 503],
        idempotent: true,
      },
    },
  },
  needs: ['writer'],
})
