import { defineFunction } from '../../../shared/spec/define-function.ts'

export default defineFunction({
  summary: 'Tells the courses of every link that a change of a student made or ended',
  trigger: { kind: 'stream', stream: 'StudentToModify', subject: 'student.to_modify' },
  needs: ['events', 'relay'],
})
