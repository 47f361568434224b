import { sweeping } from '../../../shared/resource/sweep.ts'
import type { Dependencies } from '../wiring.ts'

export default (parts: Dependencies<'outbox' | 'relay' | 'exhausted' | 'tombstones'>) => sweeping(parts)
