import { getting, reporting } from '../../../shared/resource/queries.ts'
import { students } from '../student-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ repository }: Dependencies<'repository'>) => ({
  get: getting(students, repository),
  health: reporting(repository),
})
