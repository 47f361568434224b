import { type DescMessage, fromBinary, type JsonValue, toJson } from '@bufbuild/protobuf'
import {
  CourseToModifySchema,
  LinkChangedSchema,
  StudentToModifySchema,
} from '../../../shared/generated/registrar/v1/enrolment_pb.ts'
import { decodeLink, decodeToModify } from '../../../shared/messages/link-codec.ts'
import { toldTo, toModify } from '../../../shared/messages/streams.ts'
import { UndecodableMessage } from '../../../shared/messages/undecodable-message.ts'

/** A payload as people read it, valid or not. */
export interface Decoded {
  /** What its subject makes of it: `LinkChanged`. */
  readonly kind: string
  /** What protobuf finds in it; nothing where it is no protobuf. */
  readonly content?: JsonValue
  /** In a few words; of what is valid. */
  readonly summary?: string
  /** Why a worker does not take it; none where it is valid. */
  readonly problems: readonly string[]
}

interface Reading {
  readonly schema: DescMessage
  /** @throws UndecodableMessage */
  readonly summarize: (payload: Uint8Array) => string
}

const aLink: Reading = {
  schema: LinkChangedSchema,
  summarize(payload) {
    const { student_id, course_id, register } = decodeLink(payload)
    const { present, reason } = register
    return `${present ? 'add' : 'remove'} student ${student_id}, course ${course_id}${reason ? ` (${reason})` : ''}`
  },
}

const mutationOf = (side: 'S' | 'C', schema: DescMessage): Reading => ({
  schema,
  summarize(payload) {
    const { id, links } = decodeToModify(side, payload)
    return `${side === 'S' ? 'student' : 'course'} ${id} changed ${links.length} links`
  },
})

const readings = new Map<string, Reading>([
  [toldTo.S, aLink],
  [toldTo.C, aLink],
  [toModify.S, mutationOf('S', StudentToModifySchema)],
  [toModify.C, mutationOf('C', CourseToModifySchema)],
])

/** Whether messages of this subject are the workers': what else a letter names is nothing to send to. */
export const isOfProtocol = (subject: string): boolean => readings.has(subject)

export function decode(subject: string, payload: Uint8Array): Decoded {
  const reading = readings.get(subject)
  if (!reading) return { kind: 'unknown', problems: [`no worker takes messages of "${subject}"`] }
  const { schema, summarize } = reading
  const kind = schema.name
  const content = contentOf(schema, payload)
  const read = content === undefined ? {} : { content }
  try {
    return { kind, ...read, summary: summarize(payload), problems: [] }
  } catch (error) {
    if (!(error instanceof UndecodableMessage)) throw error
    return { kind, ...read, problems: error.problems }
  }
}

function contentOf(schema: DescMessage, payload: Uint8Array): JsonValue | undefined {
  try {
    return toJson(schema, fromBinary(schema, payload), { useProtoFieldName: true })
  } catch {
    return undefined
  }
}
