import { setTimeout as sleep } from 'node:timers/promises'
import type { Recorder } from '../history.ts'
import type { Load } from '../load/load.ts'
import type { Messages } from '../messages.ts'
import type { Random } from '../random.ts'
import type { Servers } from '../servers/servers.ts'
import type { System } from '../system.ts'
import type { FaultKind } from './kinds.ts'

/** What faults are done to. */
export interface Stage {
  readonly servers: Servers
  readonly system: System
  readonly messages: Messages
  readonly load: Load
  readonly recorder: Recorder
  /** `students/get`, of all functions. */
  readonly functions: readonly string[]
  /** Aborted when the time is over: every fault ends then, and takes back what it did. */
  readonly signal: AbortSignal
  /** Runs work while no other fault is under way. */
  calmly<T>(work: () => Promise<T>): Promise<T>
}

/** Does one fault and takes it back; whatever it chooses comes from `random`. */
export type Fault = (stage: Stage, random: Random, kind: FaultKind) => Promise<void>

/** A fault as the history has it: from before it begins until it is taken back. */
export async function recorded(
  { recorder }: Stage,
  kind: FaultKind,
  target: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const began = recorder.now()
  const underWay = { kind, began }
  recorder.underWay.add(underWay)
  const detail = await work().finally(() => recorder.underWay.delete(underWay))
  recorder.add({
    type: 'fault',
    kind,
    target,
    began,
    ended: recorder.now(),
    ...(isDetail(detail) ? { detail } : {}),
  })
}

const isDetail = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** As long, or until the time is over. */
export async function wait({ signal }: Pick<Stage, 'signal'>, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}

/** What must be done, however often it takes: so many times it was tried. */
export async function persist(work: () => Promise<void>): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      await work()
      return tries
    } catch (error) {
      if (tries === 60) throw error
      await sleep(500)
    }
  }
}
