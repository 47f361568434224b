import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf'
import type { LinkMessage } from '../enrolment/messages.ts'
import type { Side } from '../enrolment/register.ts'
import {
  CourseToModifySchema,
  LinkChangedSchema,
  StudentToModifySchema,
} from '../generated/registrar/v1/enrolment_pb.ts'
import { checkId, readLink, toLinkChanged } from './link-message.ts'
import { UndecodableMessage } from './undecodable-message.ts'

/** What one mutation of an aggregate changed, on its way to the fan-out of its own side. */
export interface ToModify {
  /** The student or course that was written; each link names it as its own end. */
  readonly id: string
  /** Possibly none: a mutation that moved no link. */
  readonly links: readonly LinkMessage[]
}

/**
 * One link for the other side: `student.modified`, `course.modified`.
 *
 * @throws RangeError for a register that never travels: of origin `''`, or without a positive safe `ts`
 */
export function encodeLink(message: LinkMessage): Uint8Array {
  return toBinary(LinkChangedSchema, toLinkChanged(message))
}

/** @throws UndecodableMessage */
export function decodeLink(bytes: Uint8Array): LinkMessage {
  const problems: string[] = []
  const link = readLink(parse(LinkChangedSchema, bytes), '', problems)
  if (link === undefined || problems.length > 0) throw new UndecodableMessage('LinkChanged', problems)
  return link
}

/**
 * One mutation for the fan-out of the side `me`: `student.to_modify`, `course.to_modify`.
 *
 * @throws RangeError as `encodeLink`
 */
export function encodeToModify(me: Side, { id, links }: ToModify): Uint8Array {
  const changed = links.map(toLinkChanged)
  return me === 'S'
    ? toBinary(StudentToModifySchema, create(StudentToModifySchema, { studentId: id, links: changed }))
    : toBinary(CourseToModifySchema, create(CourseToModifySchema, { courseId: id, links: changed }))
}

/** @throws UndecodableMessage */
export function decodeToModify(me: Side, bytes: Uint8Array): ToModify {
  const { kind, id, changed } = parseToModify(me, bytes)
  const ownField = me === 'S' ? 'student_id' : 'course_id'
  const problems: string[] = []
  checkId(ownField, id, ownField, problems)
  const links = changed.flatMap((link, index) => {
    const path = `links[${index}].`
    const read = readLink(link, path, problems)
    if (read !== undefined && read[ownField] !== id) {
      problems.push(`${path}${ownField} is not the ${ownField} of the message`)
    }
    return read ?? []
  })
  if (problems.length > 0) throw new UndecodableMessage(kind, problems)
  return { id, links }
}

function parseToModify(me: Side, bytes: Uint8Array) {
  if (me === 'S') {
    const { studentId, links } = parse(StudentToModifySchema, bytes)
    return { kind: 'StudentToModify', id: studentId, changed: links }
  }
  const { courseId, links } = parse(CourseToModifySchema, bytes)
  return { kind: 'CourseToModify', id: courseId, changed: links }
}

function parse<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UndecodableMessage(schema.name, [`broken protobuf (${why})`], { cause })
  }
}
