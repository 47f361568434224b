import type { Exhausted } from '../worker/exhausted.ts'
import { collectOld } from './collect.ts'
import type { Outbox, Tombstones } from './ports.ts'
import type { Relay } from './relay.ts'

export interface SweepParts {
  readonly outbox: Outbox
  readonly relay: Relay
  readonly exhausted: Exhausted
  readonly tombstones: Tombstones
}

/** Tells what one side's functions left untold, and clears away what is past its time; returns what it found. */
export function sweeping({ outbox, relay, exhausted, tombstones }: SweepParts) {
  return async (): Promise<Readonly<Record<'oldest_seconds' | 'buried' | 'collected', number>>> => {
    const oldest_seconds = await relay.sweep()
    const buried = await exhausted.bury()
    await outbox.purge()
    const collected = await collectOld(tombstones)
    return { oldest_seconds, buried, collected }
  }
}
