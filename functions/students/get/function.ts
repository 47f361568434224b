import { healthView } from '../../../shared/http/views.ts'
import { defineFunction } from '../../../shared/spec/define-function.ts'
import { oneStudent, studentParams } from '../schemas.ts'

export default defineFunction({
  summary: 'Reads one student, and tells whether the database answers',
  trigger: {
    kind: 'http',
    operations: {
      get: {
        method: 'GET',
        path: '/api/students/{id}',
        summary: 'Read one student',
        params: studentParams,
        success: { status: 200, description: 'The student', body: oneStudent, headers: ['ETag'] },
        failures: [304, 404, 503],
        cache: 'id',
      },
      // Kept here, for it is the cheapest function of its service.
      health: {
        method: 'GET',
        path: '/api/students/health',
        summary: 'Whether the database of the students answers',
        success: { status: 200, description: 'It does', body: healthView },
        failures: [503],
      },
    },
  },
  needs: ['repository'],
})
