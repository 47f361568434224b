import type { Links, Register } from './register.ts'

/** What the protocol sees of one student or course. */
export interface Aggregate {
  readonly links: Links
  /** Highest `ts` of the tombstones collected, in microseconds; 0 when none was. See `missingRegister`. */
  readonly floor: number
}

/** How many courses one student, and how many students one course can have. */
export const limits = { student: 15, course: 60 } as const

/** The enrolled ids, oldest register first, by id within one `ts`: the order that clients see. */
export function presentIds(links: Links): string[] {
  return inOrder(links)
    .filter(([, register]) => register.present)
    .map(([id]) => id)
}

/** All the registers by (`ts`, id). */
export function inOrder(links: Links): [id: string, register: Register][] {
  return [...links].sort(([idA, a], [idB, b]) => a.ts - b.ts || (idA < idB ? -1 : 1))
}
