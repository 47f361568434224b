import { fanOutWorker } from '../../../shared/resource/enrol.ts'
import { courses } from '../course-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ events, relay }: Dependencies<'events' | 'relay'>) => ({
  ...fanOutWorker(courses, events),
  sweep: () => relay.sweep(),
})
