import { deleting } from '../../../shared/resource/commands.ts'
import { courses } from '../course-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ writer }: Dependencies<'writer'>) => ({ delete: deleting(courses, writer) })
