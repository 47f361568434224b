import { mongoCourses } from '../../../functions/courses/adapters/mongo-courses.ts'
import { postgresCourses } from '../../../functions/courses/adapters/postgres-courses.ts'
import { postgresStudents } from '../../../functions/students/adapters/postgres-students.ts'
import { MongoDatabase } from '../../../shared/adapters/mongo-client.ts'
import { MongoRepository } from '../../../shared/adapters/mongo-repository.ts'
import { PostgresClient } from '../../../shared/adapters/postgres-client.ts'
import { PostgresRepository } from '../../../shared/adapters/postgres-repository.ts'
import type { Repository } from '../../../shared/resource/ports.ts'
import { mongoStore } from './mongo-store.ts'
import { postgresStore } from './postgres-store.ts'
import type { Store } from './store.ts'

/** One side: its store as it lies there, and what resyncs it. */
export interface OpenSide {
  readonly store: Store
  readonly repository: Pick<Repository<object>, 'links'>
}

export interface Sides extends AsyncDisposable {
  readonly S: OpenSide
  readonly C: OpenSide
}

/** Both sides, each where its URL's scheme says that it lies. */
export function openSides(urls: { readonly STUDENTS_URL: string; readonly COURSES_URL: string }): Sides {
  const stack = new AsyncDisposableStack()
  const students = stack.use(new PostgresClient({ url: urls.STUDENTS_URL }))
  return {
    S: {
      store: postgresStore('S', students, postgresStudents),
      repository: new PostgresRepository(students, postgresStudents),
    },
    C: openCourses(urls.COURSES_URL, stack),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function openCourses(url: string, stack: AsyncDisposableStack): OpenSide {
  if (url.startsWith('mongodb')) {
    const database = stack.use(new MongoDatabase({ url }))
    return {
      store: mongoStore('C', database, mongoCourses),
      repository: new MongoRepository(database, mongoCourses),
    }
  }
  const client = stack.use(new PostgresClient({ url }))
  return {
    store: postgresStore('C', client, postgresCourses),
    repository: new PostgresRepository(client, postgresCourses),
  }
}
