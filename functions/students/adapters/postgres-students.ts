import type { Mapping } from '../../../shared/adapters/postgres-rows.ts'
import { Failure } from '../../../shared/errors.ts'
import { type StudentFields, studentFields } from '../domain/student.ts'

/** Students in the schema `students`; migrations/ has the tables. */
export const postgresStudents: Mapping<StudentFields> = {
  schema: 'students',
  idType: 'uuid',
  columns: ({ name, first_name, last_name }) => ({ name, first_name, last_name }),
  selected: 'e.name, e.first_name, e.last_name',
  read: ({ name, first_name, last_name }) => ({
    name: String(name),
    first_name: String(first_name),
    last_name: String(last_name),
  }),
  sorts: { name: 'e.name', first_name: 'e.first_name', last_name: 'e.last_name' },
  unique: {
    constraint: 'entities_names_unique',
    failure: () =>
      new Failure('conflict', {
        detail: 'there is another student of these names',
        errors: studentFields.map((field) => ({
          pointer: `/${field}`,
          message: 'is taken together with the other names',
        })),
      }),
  },
}
