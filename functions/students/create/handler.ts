import { creating } from '../../../shared/resource/commands.ts'
import { students } from '../student-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ writer }: Dependencies<'writer'>) => ({ create: creating(students, writer) })
