import { enrolling, relating } from '../../../shared/resource/queries.ts'
import { students } from '../student-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ repository, lookup }: Dependencies<'repository' | 'lookup'>) => ({
  courses: relating(students, repository, lookup),
  enrolments: enrolling(students, repository, lookup),
})
