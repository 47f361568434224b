import { listing } from '../../../shared/resource/queries.ts'
import { students } from '../student-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ repository }: Dependencies<'repository'>) => ({ list: listing(students, repository) })
