import { lookingUp } from '../../../shared/resource/queries.ts'
import { courses } from '../course-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ repository }: Dependencies<'repository'>) => lookingUp(courses, repository)
