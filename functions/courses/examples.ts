import type { Course } from './domain/course.ts'

/** The students of functions/students/examples.ts. */
export const ada = '01990458-013c-7c3e-9b1f-6d2a84c05e17'
export const mary = '01990abd-487f-7a92-8f4d-0c6e1b7d9a35'

/** What openapi.json shows of the courses. */
export const algebra = {
  id: '68b556045a1f0c9d3e7b2a41',
  name: 'Linear Algebra',
  discipline: 'Mathematics',
  teacher: 'Emmy Noether',
  description: 'Vector spaces, linear maps and what stays the same when the basis changes.',
  kind: 'in_class' as const,
  attributes: { room: 'B 2.14', credits: 6, exam: { written: true, minutes: 120 } },
  student_ids: [ada, mary],
  version: 3,
  created_at: '2025-09-01T08:15:00.412Z',
  updated_at: '2025-09-03T10:42:18.905Z',
} satisfies Course

export const engines = {
  id: '68b6f929c4d80e2b917f36aa',
  name: 'Analytical Engines',
  discipline: 'Computing',
  teacher: 'Charles Babbage',
  description: 'Twelve weeks in a workshop: how cards make a machine repeat itself.',
  kind: 'externship' as const,
  attributes: { company: 'Clement & Sons', weeks: 12 },
  student_ids: [ada],
  version: 2,
  created_at: '2025-09-02T14:03:21.087Z',
  updated_at: '2025-09-02T15:20:44.310Z',
} satisfies Course

const { id: _id, version: _version, created_at: _created, updated_at: _updated, ...body } = algebra

export const courseExamples = [algebra, engines]

export const courseBodyExample: typeof body = body

export const coursePatchExample = {
  teacher: 'Olga Taussky',
  attributes: { room: 'A 1.01', exam: { minutes: null } },
}

export const courseEnrolmentExamples = [
  { student_id: ada, state: 'confirmed' as const, since: '2025-09-03T10:42:18.905Z' },
  { student_id: mary, state: 'pending' as const, since: '2025-09-03T10:42:18.905Z' },
  {
    student_id: '01990d12-6a4b-7e08-a3c9-51f7e2d86b40',
    state: 'rejected' as const,
    reason: 'student_not_found' as const,
    since: '2025-09-03T10:42:18.931Z',
  },
]
