import { enrolWorker } from '../../../shared/resource/enrol.ts'
import { courses } from '../course-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({
  writer,
  staleness,
  events,
  relay,
}: Dependencies<'writer' | 'staleness' | 'events' | 'relay'>) => ({
  ...enrolWorker(courses, { writer, cache: staleness, events }),
  sweep: () => relay.sweep(),
})
