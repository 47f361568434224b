import { describe } from 'vitest'
import { describeMongo } from '../../../shared/testing/mongo.ts'

export type CourseStore = 'postgres' | 'mongo'

/** The same tests with the courses as documents in Postgres, and on MongoDB's protocol. */
export async function overBothAdapters(name: string, tests: (courses: CourseStore) => void): Promise<void> {
  describe(`${name} (courses in Postgres)`, () => tests('postgres'))
  await describeMongo(`${name} (courses in MongoDB)`, 'any', () => tests('mongo'))
}
