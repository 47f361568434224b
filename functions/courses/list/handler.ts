import { listing } from '../../../shared/resource/queries.ts'
import { courses } from '../course-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ repository }: Dependencies<'repository'>) => ({ list: listing(courses, repository) })
