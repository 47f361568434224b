import { rm } from 'node:fs/promises'
import { childrenOf } from '../../local/process-table.ts'
import { signal } from '../processes.ts'
import { untilQuiet } from '../quiescence.ts'
import type { EngineName } from '../servers/engine.ts'
import { type Fault, persist, recorded, wait } from './stage.ts'

const killing =
  (name: EngineName): Fault =>
  async (stage, random, kind) => {
    await recorded(stage, kind, name, () => stage.servers.get(name).restart(random.between(0, 3000)))
  }

export const killNats = killing('nats')
export const killRedis = killing('redis')
export const killMongodb = killing('mongodb')

/** The server as a whole, or one of its backends: then it ends all sessions and recovers by itself. */
export const killPostgres: Fault = async (stage, random, kind) => {
  const engine = stage.servers.get('postgres')
  const backend = random.chance(0.4) ? random.pick(childrenOf(engine.pid)) : undefined
  if (backend === undefined) return killing('postgres')(stage, random, kind)
  await recorded(stage, kind, 'postgres', async () => {
    signal(backend, 'SIGKILL')
    await wait(stage, 500)
    return { backend: true }
  })
}

/** Longest that the system may take to come to rest while nobody writes and nothing breaks, in milliseconds. */
const restPatience = 300_000

/**
 * The store is lost while messages are under way. Then what an operator does: initialize, sweep until outboxes are empty
 * and workers have nothing left, and reconcile both sides; nobody writes meanwhile, and nothing else
 * breaks.
 */
export const wipe: Fault = async (stage, random, kind) => {
  const { servers, system, load, messages } = stage
  await stage.calmly(() =>
    recorded(stage, kind, 'nats', async () => {
      const nats = servers.get('nats')
      await nats.restart(random.between(0, 1000), async () => {
        // Nothing comes from a broker that is dead.
        messages.forget()
        await rm(`${nats.dir}/store`, { recursive: true })
      })
      await load.hold()
      const began = performance.now()
      const since = (): number => Math.round(performance.now() - began)
      try {
        const initialized = await persist(() => system.initialize())
        let [left, swept] = [0, 0]
        while (!(await untilQuiet(servers, messages, 8000, (count) => (left = count)))) {
          if (since() > restPatience)
            throw new Error(`${left} entries and messages never came to rest after a wipe`)
          swept += await persist(() => system.sweep())
        }
        const quiet = since()
        const repaired = await persist(() => system.reconcile())
        return { quiet, reconciled: since(), tries: { initialized, swept, repaired } }
      } finally {
        load.release()
      }
    }),
  )
}
