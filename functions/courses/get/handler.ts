import { getting, reporting } from '../../../shared/resource/queries.ts'
import { courses } from '../course-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ repository }: Dependencies<'repository'>) => ({
  get: getting(courses, repository),
  health: reporting(repository),
})
