import { create } from '@bufbuild/protobuf'
import type { LinkMessage } from '../enrolment/messages.ts'
import {
  type Origin as DomainOrigin,
  type Reason as DomainReason,
  type Register as DomainRegister,
  latestTimestamp,
} from '../enrolment/register.ts'
import {
  type LinkChanged,
  LinkChangedSchema,
  Origin,
  Reason,
  type Register,
  RegisterSchema,
} from '../generated/registrar/v1/enrolment_pb.ts'

type TravellingOrigin = Exclude<DomainOrigin, ''>

const origins = { S: Origin.STUDENT, C: Origin.COURSE, Z: Origin.FLOOR } as const satisfies Record<
  TravellingOrigin,
  Origin
>
const reasons = {
  student_not_found: Reason.STUDENT_NOT_FOUND,
  course_not_found: Reason.COURSE_NOT_FOUND,
  course_full: Reason.COURSE_FULL,
  student_full: Reason.STUDENT_FULL,
} as const satisfies Record<DomainReason, Reason>

const originOf = inverted(origins)
const reasonOf = inverted(reasons)

const idFormats = {
  student_id: { pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, name: 'a lower-case UUID' },
  course_id: { pattern: /^[0-9a-f]{24}$/, name: '24 lower-case hexadecimal digits' },
} as const

/** @throws RangeError for a register that never travels */
export function toLinkChanged({ student_id, course_id, register }: LinkMessage): LinkChanged {
  const { present, ts, origin, reason } = register
  if (origin === '' || !Number.isSafeInteger(ts) || ts < 1) {
    throw new RangeError(`a register of origin "${origin}" and ts ${ts} is not one to send`)
  }
  return create(LinkChangedSchema, {
    studentId: student_id,
    courseId: course_id,
    register: create(RegisterSchema, {
      present,
      ts: BigInt(ts),
      origin: origins[origin],
      ...(reason !== undefined && { reason: reasons[reason] }),
    }),
  })
}

/** What the message says, undefined where it says no register; adds what is wrong to `problems`, each at its `path`. */
export function readLink(link: LinkChanged, path: string, problems: string[]): LinkMessage | undefined {
  checkId('student_id', link.studentId, `${path}student_id`, problems)
  checkId('course_id', link.courseId, `${path}course_id`, problems)
  if (link.register === undefined) {
    problems.push(`${path}register is missing`)
    return undefined
  }
  const register = readRegister(link.register, `${path}register`, problems)
  return register && { student_id: link.studentId, course_id: link.courseId, register }
}

export function checkId(kind: keyof typeof idFormats, id: string, path: string, problems: string[]): void {
  const { pattern, name } = idFormats[kind]
  if (pattern.test(id)) return
  const quoted = JSON.stringify(id.length > 40 ? `${id.slice(0, 40)}…` : id)
  problems.push(`${path} is ${quoted} instead of ${name}`)
}

function readRegister(register: Register, path: string, problems: string[]): DomainRegister | undefined {
  const { present } = register
  const before = problems.length
  const ts = Number(register.ts)
  const latest = latestTimestamp(Date.now())
  if (register.ts < 1n || register.ts > BigInt(latest)) {
    problems.push(`${path}.ts is ${register.ts} instead of 1 to ${latest}, a year from now`)
  }
  const origin = originOf.get(register.origin)
  if (origin === undefined) problems.push(`${path}.origin ${register.origin} is not known`)
  if (origin === 'Z' && present) problems.push(`${path} is present although a floor made it`)
  if (register.reason === undefined) {
    return origin && problems.length === before ? { present, ts, origin } : undefined
  }
  const reason = reasonOf.get(register.reason)
  if (reason === undefined) problems.push(`${path}.reason ${register.reason} is not known`)
  if (present) problems.push(`${path} is present although it has a reason`)
  return origin && reason && problems.length === before ? { present, ts, origin, reason } : undefined
}

function inverted<Table extends Readonly<Record<string, number>>>(table: Table) {
  const keys = new Map<number, Extract<keyof Table, string>>()
  for (const key in table) {
    const value = table[key]
    if (value !== undefined) keys.set(value, key)
  }
  return keys
}
