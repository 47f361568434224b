import { observeOutboxAge } from '../../../shared/metrics.ts'
import { collectOld } from '../../../shared/resource/collect.ts'
import type { Dependencies } from '../wiring.ts'

type Needs = Dependencies<'outbox' | 'relay' | 'exhausted' | 'repository'>

export default ({ outbox, relay, exhausted, repository }: Needs) =>
  async () => {
    const oldest = await relay.sweep()
    observeOutboxAge('students/sweep', oldest)
    const buried = await exhausted.bury()
    await outbox.purge()
    const collected = await collectOld(repository)
    return { oldest_seconds: oldest, buried, collected }
  }
