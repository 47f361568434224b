import { afterAll } from 'vitest'
import { testDatabase } from '../../../shared/testing/database.ts'
import { noLeakedConnection } from '../../../shared/testing/mongo.ts'
import { courseSubject } from '../../../shared/testing/repository-contract/course-subject.ts'
import { postgresSubject } from '../../../shared/testing/repository-contract/postgres-subject.ts'
import { repositoryContract } from '../../../shared/testing/repository-contract.ts'
import { postgresCourses } from './postgres-courses.ts'

noLeakedConnection()
const database = await testDatabase()
afterAll(() => database[Symbol.asyncDispose]())

repositoryContract('courses on Postgres', {
  ...courseSubject,
  ...postgresSubject(database.url, postgresCourses),
})
