/** Which side of an enrolment: `S` keeps students, `C` keeps courses. */
export type Side = 'S' | 'C'

/**
 * Who made a register: a side; `Z`, the floor that collected tombstones leave behind; or `''`, nobody yet.
 * Only `S`, `C` and `Z` travel in messages.
 */
export type Origin = Side | 'Z' | ''

/** Why an enrolment was taken back by the side that could not keep it. */
export type Reason = 'student_not_found' | 'course_not_found' | 'course_full' | 'student_full'

/**
 * What one side last heard about one link. Registers are only ever replaced by greater ones (`compareRegisters`), which
 * is why both sides end with the same one whatever happens to the messages between them.
 */
export interface Register {
  readonly present: boolean
  /** Microseconds since 1970 or more, never less than what it replaces: a positive safe integer (0: never written). */
  readonly ts: number
  readonly origin: Origin
  /** Only with `present: false`, only when the remove is a compensation. */
  readonly reason?: Reason
}

/** The registers that one aggregate keeps, by the id of the other end: those removed or rejected included. */
export type Links = ReadonlyMap<string, Register>

const year = 366 * 24 * 60 * 60 * 1000

/**
 * The greatest `ts` accepted in a message, in microseconds: a year from now. It moves with the clock, so that what follows a
 * register that was just accepted is accepted too: a hostile or broken message cannot make a link unwritable for ever.
 *
 * @param nowMs milliseconds since 1970
 */
export const latestTimestamp = (nowMs: number): number => (nowMs + year) * 1000

export function otherSide(side: Side): Side {
  return side === 'S' ? 'C' : 'S'
}

/**
 * Total order of registers: `ts`, then `origin` (`'' < C < S < Z`), then remove after add; positive when `a` is newer.
 * Without the tie-break by origin two sides that write within one tick each keep their own; `Z` must be the greatest,
 * for a floor stands for registers of any origin. The reason takes no part: it explains a register, it makes no other.
 */
export function compareRegisters(a: Register, b: Register): number {
  if (a.ts !== b.ts) return a.ts < b.ts ? -1 : 1
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1
  return Number(b.present) - Number(a.present)
}

/**
 * What a register that is not there stands for. `floor` is its aggregate's: the highest `ts` (microseconds) among the
 * tombstones collected so far, 0 when none was.
 */
export function missingRegister(floor: number): Register {
  return floor > 0 ? { present: false, ts: floor, origin: 'Z' } : { present: false, ts: 0, origin: '' }
}

/**
 * The `ts` (microseconds) of a new register that replaces one of `baseTs`: the clock where it is ahead, else just above
 * the base, so that a slow clock never makes a write lose against what it has seen.
 *
 * @param nowMs milliseconds since 1970, whole
 * @param index place within one write, 0 to 999: keeps the order that the client sent
 * @throws RangeError when the index is out of range, or when the result is no safe integer
 */
export function nextTimestamp(nowMs: number, baseTs: number, index: number): number {
  if (!Number.isInteger(index) || index < 0 || index > 999) {
    throw new RangeError(`index ${index} is not a whole number from 0 to 999`)
  }
  const ts = Math.max(nowMs * 1000 + index, baseTs + 1)
  if (!Number.isSafeInteger(ts)) {
    throw new RangeError(`no safe timestamp follows ${baseTs} at ${nowMs} ms`)
  }
  return ts
}
