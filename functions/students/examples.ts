import { ada, algebra, engines, mary } from '../courses/examples.ts'
import type { Student } from './domain/student.ts'

/** What openapi.json shows of the students. */
const lovelace = {
  id: ada,
  name: 'Countess of Lovelace',
  first_name: 'Ada',
  last_name: 'Lovelace',
  course_ids: [algebra.id, engines.id],
  version: 2,
  created_at: '2025-09-01T08:15:00.412Z',
  updated_at: '2025-09-02T15:20:44.310Z',
} satisfies Student

const somerville = {
  id: mary,
  name: 'Queen of Science',
  first_name: 'Mary',
  last_name: 'Somerville',
  course_ids: [algebra.id],
  version: 1,
  created_at: '2025-09-02T14:03:21.087Z',
  updated_at: '2025-09-02T14:03:21.087Z',
} satisfies Student

const { id: _id, version: _version, created_at: _created, updated_at: _updated, ...body } = lovelace

export const studentExamples = [lovelace, somerville]

export const studentBodyExample: typeof body = body

export const studentPatchExample = { name: 'Ada of Ockham', course_ids: [algebra.id] }

export const studentEnrolmentExamples = [
  { course_id: algebra.id, state: 'confirmed' as const, since: '2025-09-01T08:15:00.412Z' },
  { course_id: engines.id, state: 'pending' as const, since: '2025-09-02T15:20:44.310Z' },
  {
    course_id: '68b7a0c35e4f1d2b8c963077',
    state: 'rejected' as const,
    reason: 'course_full' as const,
    since: '2025-09-02T15:20:44.324Z',
  },
]
