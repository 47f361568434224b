import { defineFunction } from '../../../shared/spec/define-function.ts'

export default defineFunction({
  summary: 'Tells what the functions of the students left untold, and clears away what is past its time',
  trigger: { kind: 'cron', schedule: '* * * * *' },
  needs: ['outbox', 'relay', 'exhausted', 'tombstones'],
})
