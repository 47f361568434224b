import { defineFunction } from '../../../shared/spec/define-function.ts'
import { coursePage, courseQuery } from '../schemas.ts'

export default defineFunction({
  summary: 'Lists courses',
  trigger: {
    kind: 'http',
    operations: {
      list: {
        method: 'GET',
        path: '/api/courses',
        summary: 'List courses, a page at a time',
        query: courseQuery,
        success: { status: 200, description: 'A page of courses', body: coursePage, headers: ['Link'] },
        failures: [503],
        cache: 'list',
      },
    },
  },
  needs: ['repository'],
})
