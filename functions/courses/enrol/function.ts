import { defineFunction } from '../../../shared/spec/define-function.ts'

export default defineFunction({
  summary: 'Takes over the links that the students made or ended, or takes them back with a reason',
  trigger: { kind: 'stream', stream: 'StudentModified', subject: 'student.modified' },
  needs: ['writer', 'staleness', 'events', 'relay'],
})
