import type { Side } from '../enrolment/register.ts'

/** The streams of the protocol, with the names of the original system. */
export const streams = {
  StudentToModify: {
    subjects: ['student.to_modify'],
    description: 'Mutations of students, for their fan-out',
  },
  StudentModified: { subjects: ['student.modified'], description: 'Links, one a message, for the courses' },
  CourseToModify: { subjects: ['course.to_modify'], description: 'Mutations of courses, for their fan-out' },
  CourseModified: { subjects: ['course.modified'], description: 'Links, one a message, for the students' },
} as const

/** What no worker could process, by the consumer that gave up, with the reason in a header. */
export const deadLetter = { stream: 'DeadLetter', subject: 'dead_letter' } as const

/** What the server says of messages that used up their deliveries, each killing or hanging its worker. */
export const advisories = {
  stream: 'Advisories',
  subject: '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES',
} as const

/** Where a side's mutations go for its own fan-out. */
export const toModify: Record<Side, string> = { S: 'student.to_modify', C: 'course.to_modify' }

/** Where a side is told of a link: by destination, whoever made the register. */
export const toldTo: Record<Side, string> = { C: 'student.modified', S: 'course.modified' }
