import { compareRegisters, missingRegister, type Register } from '../../../shared/enrolment/register.ts'
import type { Stored } from './store.ts'

/** What a side has of a pair; nothing where it has no such aggregate. */
export interface Half {
  readonly floor: number
  readonly register?: Register
}

/** A student and a course, with what the stores of both sides have of their enrolment. */
export interface Pair {
  readonly student_id: string
  readonly course_id: string
  readonly students: Half | undefined
  readonly courses: Half | undefined
}

/**
 * How the two sides of a pair differ:
 * - `asymmetric`: one shows the enrolment, and the register of the other says that there is none
 * - `missing register`: one shows it, and the other has heard nothing of it
 * - `missing end`: one shows it, and the other end does not exist
 * - `unequal registers`: both say the same, but not by the same register: a message was lost that made no difference yet
 */
export type Kind = 'asymmetric' | 'missing register' | 'missing end' | 'unequal registers'

export function halfOf(stored: Stored | undefined, otherId: string): Half | undefined {
  if (!stored) return undefined
  const register = stored.links.get(otherId)
  return { floor: stored.floor, ...(register ? { register } : {}) }
}

/** Nothing where the sides agree: a link that is not present needs no register, for it may be long collected. */
export function kindOf({ students, courses }: Pick<Pair, 'students' | 'courses'>): Kind | undefined {
  const [one, other] = [students?.register, courses?.register]
  const shown = one?.present || other?.present
  if (!students || !courses) return shown ? 'missing end' : undefined
  if (!one || !other) return shown ? 'missing register' : undefined
  if (one.present !== other.present) return 'asymmetric'
  return compareRegisters(one, other) === 0 ? undefined : 'unequal registers'
}

/** Whether the sides will come to show the pair when they are told of each other's registers, limits aside. */
export function becomesPresent({ students, courses }: Pair): boolean {
  if (!students || !courses) return false
  const [one, other] = [effective(students), effective(courses)]
  return (compareRegisters(one, other) > 0 ? one : other).present
}

/** Whether this side has what the other one does not know: its register is the newer one, or the only one. */
export function hasNews(own: Half | undefined, other: Half | undefined): boolean {
  if (!own?.register) return false
  return !other || compareRegisters(own.register, other.register ?? missingRegister(0)) > 0
}

const effective = ({ floor, register }: Half): Register => register ?? missingRegister(floor)
