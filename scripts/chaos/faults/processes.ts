import { familyOf } from '../../local/process-table.ts'
import { type Role, roleOf, signal } from '../processes.ts'
import { type Fault, recorded, type Stage, wait } from './stage.ts'

/** How long it is waited for a process that can be killed, in milliseconds: sweepers are seldom there. */
const patience: Record<Role, number> = { function: 2000, worker: 2000, sweeper: 15_000 }

const killing =
  (role: Role): Fault =>
  async (stage, random, kind) => {
    const until = performance.now() + patience[role]
    while (!stage.signal.aborted && performance.now() < until) {
      const victim = random.pick(stage.system.functions.filter(({ name }) => roleOf(name) === role))
      if (victim && signal(victim.pid, 'SIGKILL')) {
        await recorded(stage, kind, victim.name, async () => {})
        return
      }
      await wait(stage, 25)
    }
  }

export const killFunction = killing('function')
export const killWorker = killing('worker')
export const killSweeper = killing('sweeper')

/** Mostly short; but longer than every timeout now and then. */
export const pauseFunction: Fault = async (stage, random, kind) => {
  const victim = random.pick(stage.system.functions.filter(({ name }) => roleOf(name) !== undefined))
  if (victim) await pause(stage, kind, victim.name, [victim.pid], pauseLength(random))
}

export const pauseEngine: Fault = async (stage, random, kind) => {
  const engine = random.pick(stage.servers.all)
  if (engine) await pause(stage, kind, engine.name, familyOf(engine.pid), pauseLength(random))
}

const pauseLength = (random: Parameters<Fault>[1]): number =>
  random.chance(0.2) ? random.between(5000, 20_000) : random.between(1000, 4000)

async function pause(
  stage: Stage,
  kind: Parameters<Fault>[2],
  name: string,
  pids: readonly number[],
  ms: number,
): Promise<void> {
  await recorded(stage, kind, name, async () => {
    for (const pid of pids) signal(pid, 'SIGSTOP')
    await wait(stage, ms)
    for (const pid of pids) signal(pid, 'SIGCONT')
  })
}

/** A new version under load: every process is asked to end, one after another; the next use starts another. */
export const rolling: Fault = async (stage, random, kind) => {
  await recorded(stage, kind, 'all', async () => {
    const all = random.shuffled(stage.system.functions)
    for (const { pid } of all) {
      if (stage.signal.aborted) break
      signal(pid, 'SIGTERM')
      await wait(stage, random.between(50, 300))
    }
    return { processes: all.length }
  })
}
