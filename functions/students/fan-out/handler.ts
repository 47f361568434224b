import { fanOutWorker } from '../../../shared/resource/enrol.ts'
import { students } from '../student-resource.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ events, relay }: Dependencies<'events' | 'relay'>) => ({
  ...fanOutWorker(students, events),
  sweep: () => relay.sweep(),
})
