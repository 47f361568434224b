import type { Group } from './options.ts'
import type { Spread } from './statistics.ts'

export interface Latency {
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

export interface Aim {
  readonly text: string
  readonly met: boolean
}

/** One line of the table. */
export interface Row {
  readonly group: Group
  readonly what: string
  /** The absolute figure, with its unit. It is of this machine, in this run. */
  readonly measured: string
  /** Against the hello, or against the smallest table. */
  readonly ratio?: Spread
  readonly latency?: Latency
  /** CPU time of the process per request, or up to its first answer, against the hello's. */
  readonly cpu?: number
  readonly aim?: Aim
  /** What the original had, as a ratio where there is one. */
  readonly original?: string
  readonly samples: number
}

/** A function that says something of its progress. */
export type Say = (text: string) => void

export const atMost = (most: number, measured: number): Aim => ({
  text: `<= ${most}x`,
  met: measured <= most,
})

export const atLeast = (least: number, measured: number): Aim => ({
  text: `>= ${least}x`,
  met: measured >= least,
})
