import { defineFunction } from '../../../shared/spec/define-function.ts'

export default defineFunction({
  summary: 'Makes streams, consumers, schemas and indexes what the functions need',
  trigger: { kind: 'job' },
  needs: ['provisioners', 'mode'],
})
