import { enrolling, relating } from '../../../shared/resource/queries.ts'
import { courses } from '../course-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ repository, lookup }: Dependencies<'repository' | 'lookup'>) => ({
  students: relating(courses, repository, lookup),
  enrolments: enrolling(courses, repository, lookup),
})
