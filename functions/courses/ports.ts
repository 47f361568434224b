import type { Lookup, Outbox, Repository } from '../../shared/resource/ports.ts'
import type { Student } from '../students/domain/student.ts'
import type { CourseFields } from './domain/course.ts'

export type CourseRepository = Repository<CourseFields>

export type CourseOutbox = Outbox

/** The students that are enrolled in a course, asked of the students service. */
export type StudentLookup = Lookup<Student>
