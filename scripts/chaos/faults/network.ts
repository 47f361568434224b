import type { Random } from '../random.ts'
import type { Engine } from '../servers/engine.ts'
import { type Fault, recorded, wait } from './stage.ts'

const onOne =
  (work: (engine: Engine, random: Random, pause: (ms: number) => Promise<void>) => Promise<object>): Fault =>
  async (stage, random, kind) => {
    const engine = random.pick(stage.servers.all)
    if (!engine) return
    await recorded(stage, kind, engine.name, async () => {
      try {
        return { ...(await work(engine, random, (ms) => wait(stage, ms))) }
      } finally {
        engine.proxy.release()
      }
    })
  }

/** For a while, or only once. */
export const cut = onOne(async ({ proxy }, random, pause) => {
  if (random.chance(0.3)) proxy.breakAll()
  else {
    proxy.cut()
    await pause(random.between(300, 4000))
  }
  return {}
})

export const delay = onOne(async ({ proxy }, random, pause) => {
  const ms = random.between(10, 400)
  proxy.delay(ms)
  await pause(random.between(1000, 5000))
  return { ms }
})

export const halfOpen = onOne(async ({ proxy }) => {
  const connections = proxy.connections
  proxy.halfOpen()
  return { connections }
})
