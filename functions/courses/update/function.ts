import { defineFunction } from '../../../shared/spec/define-function.ts'
import { courseBody, courseParams, coursePatch, oneCourse } from '../schemas.ts'

export default defineFunction({
  summary: 'Replaces a course, or changes some of its fields',
  trigger: {
    kind: 'http',
    operations: {
      replace: {
        method: 'PUT',
        path: '/api/courses/{id}',
        summary: 'Replace a course',
        params: courseParams,
        body: courseBody,
        success: { status: 200, description: 'The course as it is now', body: oneCourse, headers: ['ETag'] },
        failures: [400, 404, 409, 412, 413, 415, 422, 503],
        conditional: true,
      },
      patch: {
        method: 'PATCH',
        path: '/api/courses/{id}',
        summary: 'Change some fields of a course (JSON merge patch, RFC 7396)',
        params: courseParams,
        body: coursePatch,
        accepts: ['application/merge-patch+json', 'application/json'],
        success: { status: 200, description: 'The course as it is now', body: oneCourse, headers: ['ETag'] },
        failures: [400, 404, 409, 412, 413, 415, 422, 503],
        conditional: true,
      },
    },
  },
  needs: ['writer'],
})
