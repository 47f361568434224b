import { patching, replacing } from '../../../shared/resource/commands.ts'
import { courses } from '../course-resource.ts'
import { courseBody } from '../schemas.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ writer }: Dependencies<'writer'>) => ({
  replace: replacing(courses, writer),
  patch: patching(courses, writer, courseBody),
})
