import { enrolWorker } from '../../../shared/resource/enrol.ts'
import { students } from '../student-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({
  writer,
  staleness,
  events,
  relay,
}: Dependencies<'writer' | 'staleness' | 'events' | 'relay'>) => ({
  ...enrolWorker(students, { writer, cache: staleness, events }),
  sweep: () => relay.sweep(),
})
