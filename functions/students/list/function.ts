import { defineFunction } from '../../../shared/spec/define-function.ts'
import { studentPage, studentQuery } from '../schemas.ts'

export default defineFunction({
  summary: 'Lists students',
  trigger: {
    kind: 'http',
    operations: {
      list: {
        method: 'GET',
        path: '/api/students',
        summary: 'List students, a page at a time',
        query: studentQuery,
        success: { status: 200, description: 'A page of students', body: studentPage, headers: ['Link'] },
        failures: [503],
        cache: 'list',
      },
    },
  },
  needs: ['repository'],
})
