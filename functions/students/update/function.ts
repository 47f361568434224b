import { defineFunction } from '../../../shared/spec/define-function.ts'
import { oneStudent, studentBody, studentParams, studentPatch } from '../schemas.ts'

export default defineFunction({
  summary: 'Replaces a student, or changes some of its fields',
  trigger: {
    kind: 'http',
    operations: {
      replace: {
        method: 'PUT',
        path: '/api/students/{id}',
        summary: 'Replace a student',
        params: studentParams,
        body: studentBody,
        success: {
          status: 200,
          description: 'The student as it is now',
          body: oneStudent,
          headers: ['ETag'],
        },
        failures: [400, 404, 409, 412, 413, 415, 422, 503],
        conditional: true,
      },
      patch: {
        method: 'PATCH',
        path: '/api/students/{id}',
        summary: 'Change some fields of a student (JSON merge patch, RFC 7396)',
        params: studentParams,
        body: studentPatch,
        accepts: ['application/merge-patch+json', 'application/json'],
        success: {
          status: 200,
          description: 'The student as it is now',
          body: oneStudent,
          headers: ['ETag'],
        },
        failures: [400, 404, 409, 412, 413, 415, 422, 503],
        conditional: true,
      },
    },
  },
  needs: ['writer'],
})
