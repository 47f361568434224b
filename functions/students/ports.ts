import type { Lookup, Outbox, Repository } from '../../shared/resource/ports.ts'
import type { Course } from '../courses/domain/course.ts'
import type { StudentFields } from './domain/student.ts'

export type StudentRepository = Repository<StudentFields>

export type StudentOutbox = Outbox

/** The courses that have a student enrolled, asked of the courses service. */
export type CourseLookup = Lookup<Course>
