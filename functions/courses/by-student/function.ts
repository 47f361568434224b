import { defineFunction } from '../../../shared/spec/define-function.ts'

export default defineFunction({
  summary: 'Gives the courses of a student, for the other service',
  trigger: { kind: 'grpc', service: 'registrar.v1.CourseLookupService', method: 'ByStudent' },
  needs: ['repository'],
})
