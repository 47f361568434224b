import { defineFunction } from '../../../shared/spec/define-function.ts'
import { studentParams } from '../schemas.ts'

export default defineFunction({
  summary: 'Deletes a student',
  trigger: {
    kind: 'http',
    operations: {
      delete: {
        method: 'DELETE',
        path: '/api/students/{id}',
        summary: 'Delete a student and its enrolments',
        params: studentParams,
        success: { status: 204, description: 'It is gone' },
        failures: [404, 412, 503],
        conditional: true,
      },
    },
  },
  needs: ['writer'],
})
