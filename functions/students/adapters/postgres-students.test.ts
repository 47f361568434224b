import { afterAll } from 'vitest'
import { testDatabase } from '../../../shared/testing/database.ts'
import { noLeakedConnection } from '../../../shared/testing/mongo.ts'
import { postgresSubject } from '../../../shared/testing/repository-contract/postgres-subject.ts'
import { repositoryContract } from '../../../shared/testing/repository-contract.ts'
import { courses } from '../../courses/course-resource.ts'
import type { StudentFields } from '../domain/student.ts'
import { students } from '../student-resource.ts'
import { postgresStudents } from './postgres-students.ts'

noLeakedConnection()
const database = await testDatabase()
afterAll(() => database[Symbol.asyncDispose]())

let count = 0

repositoryContract<StudentFields>('students on Postgres', {
  side: 'S',
  newId: students.newId,
  newOther: courses.newId,
  fields: (wanted) => ({
    name: `Name ${++count}`,
    first_name: 'First',
    last_name: `Last ${count}`,
    ...wanted,
  }),
  texts: ['name', 'first_name'],
  unique: true,
  ...postgresSubject(database.url, postgresStudents),
})
