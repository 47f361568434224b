import { defineFunction } from '../../../shared/spec/define-function.ts'
import { oneStudent, studentBody } from '../schemas.ts'

export default defineFunction({
  summary: 'Creates a student',
  trigger: {
    kind: 'http',
    operations: {
      create: {
        method: 'POST',
        path: '/api/students',
        summary: 'Create a student',
        body: studentBody,
        success: {
          status: 201,
          description: 'The new student',
          body: oneStudent,
          headers: ['ETag', 'Location'],
        },
        failures: [400, 409, 413, 415, 422, 503],
        idempotent: true,
      },
    },
  },
  needs: ['writer'],
})
