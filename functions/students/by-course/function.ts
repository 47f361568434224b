import { defineFunction } from '../../../shared/spec/define-function.ts'

export default defineFunction({
  summary: 'Gives the students of a course, for the other service',
  trigger: { kind: 'grpc', service: 'registrar.v1.StudentLookupService', method: 'ByCourse' },
  needs: ['repository'],
})
