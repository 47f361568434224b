import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { Course, CourseKind } from '../../functions/courses/domain/course.ts'
import type { Student } from '../../functions/students/domain/student.ts'
import {
  type ByCourseResponse,
  ByCourseResponseSchema,
  type ByStudentResponse,
  ByStudentResponseSchema,
  type CourseSchema,
  type StudentSchema,
} from '../generated/registrar/v1/lookups_pb.ts'

/** Most ids in one call. */
export const mostIds = 100

/** The members of each id that was asked for. */
export type MembersById<M> = ReadonlyMap<string, readonly M[]>

export function encodeStudents(found: MembersById<Student>): ByCourseResponse {
  return create(ByCourseResponseSchema, {
    studentsByCourse: [...found].map(([courseId, students]) => ({
      courseId,
      students: students.map(fromStudent),
    })),
  })
}

export function decodeStudents({ studentsByCourse }: ByCourseResponse): MembersById<Student> {
  return new Map(
    studentsByCourse.map(({ courseId, students }) => [
      courseId,
      students.map(({ id, name, firstName, lastName, courseIds, version, createdAt, updatedAt }) => ({
        id,
        name,
        first_name: firstName,
        last_name: lastName,
        course_ids: courseIds,
        version: Number(version),
        created_at: createdAt,
        updated_at: updatedAt,
      })),
    ]),
  )
}

export function encodeCourses(found: MembersById<Course>): ByStudentResponse {
  return create(ByStudentResponseSchema, {
    coursesByStudent: [...found].map(([studentId, courses]) => ({
      studentId,
      courses: courses.map(fromCourse),
    })),
  })
}

export function decodeCourses({ coursesByStudent }: ByStudentResponse): MembersById<Course> {
  return new Map(
    coursesByStudent.map(({ studentId, courses }) => [
      studentId,
      courses.map((course) => ({
        id: course.id,
        name: course.name,
        discipline: course.discipline,
        teacher: course.teacher,
        description: course.description,
        // The service that owns it validated it; a newer one may have kinds that this one only passes on.
        kind: course.kind as CourseKind,
        attributes: JSON.parse(course.attributesJson),
        student_ids: course.studentIds,
        version: Number(course.version),
        created_at: course.createdAt,
        updated_at: course.updatedAt,
      })),
    ]),
  )
}

function fromStudent(student: Student): MessageInitShape<typeof StudentSchema> {
  return {
    id: student.id,
    name: student.name,
    firstName: student.first_name,
    lastName: student.last_name,
    courseIds: [...student.course_ids],
    version: BigInt(student.version),
    createdAt: student.created_at,
    updatedAt: student.updated_at,
  }
}

function fromCourse(course: Course): MessageInitShape<typeof CourseSchema> {
  return {
    id: course.id,
    name: course.name,
    discipline: course.discipline,
    teacher: course.teacher,
    description: course.description,
    kind: course.kind,
    attributesJson: JSON.stringify(course.attributes),
    studentIds: [...course.student_ids],
    version: BigInt(course.version),
    createdAt: course.created_at,
    updatedAt: course.updated_at,
  }
}
