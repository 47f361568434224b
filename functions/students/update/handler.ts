import { patching, replacing } from '../../../shared/resource/commands.ts'
import { studentBody } from '../schemas.ts'
import { students } from '../student-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ writer }: Dependencies<'writer'>) => ({
  replace: replacing(students, writer),
  patch: patching(students, writer, studentBody),
})
