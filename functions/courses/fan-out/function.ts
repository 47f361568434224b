import { defineFunction } from '../../../shared/spec/define-function.ts'

export default defineFunction({
  summary: 'Tells the students of every link that a change of a course made or ended',
  trigger: { kind: 'stream', stream: 'CourseToModify', subject: 'course.to_modify' },
  needs: ['events', 'relay'],
})
