import type { Judgement } from '../verdict.ts'
import type { Crafted } from './crafted.ts'

/** Spoils the innocent run so that this is judged, and said of it. */
export type Guilty = readonly [
  what: string,
  judgement: Judgement,
  said: RegExp,
  spoil: (run: Crafted) => void,
]

/** Changes the innocent run so that nothing is to be found. */
export type Innocent = readonly [what: string, change: (run: Crafted) => void]
