import { defineFunction } from '../../../shared/spec/define-function.ts'
import { courseParams } from '../schemas.ts'

export default defineFunction({
  summary: 'Deletes a course',
  trigger: {
    kind: 'http',
    operations: {
      delete: {
        method: 'DELETE',
        path: '/api/courses/{id}',
        summary: 'Delete a course and its enrolments',
        params: courseParams,
        success: { status: 204, description: 'It is gone' },
        failures: [404, 412, 503],
        conditional: true,
      },
    },
  },
  needs: ['writer'],
})
