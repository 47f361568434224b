import { observeOutboxAge } from '../../../shared/metrics.ts'
import type { Dependencies } from '../wiring.ts'

export default ({ outbox, relay, exhausted }: Dependencies<'outbox' | 'relay' | 'exhausted'>) =>
  async () => {
    const oldest = await relay.sweep()
    observeOutboxAge('students/sweep', oldest)
    const buried = await exhausted.bury()
    await outbox.purge()
    return { oldest_seconds: oldest, buried }
  }
