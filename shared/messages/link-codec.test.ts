import { type DescMessage, fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { LinkMessage } from '../enrolment/messages.ts'
import { latestTimestamp, type Reason, type Register } from '../enrolment/register.ts'
import { LinkChangedSchema, StudentToModifySchema } from '../generated/registrar/v1/enrolment_pb.ts'
import { decodeLink, decodeToModify, encodeLink, encodeToModify } from './link-codec.ts'
import { UndecodableMessage } from './undecodable-message.ts'

const student_id = '0198c5a0-0000-7000-8000-000000000001'
const course_id = '65a000000000000000000001'

const ts = fc.integer({ min: 1, max: latestTimestamp(Date.now()) })
const origin = fc.constantFrom('S' as const, 'C' as const)
const register: fc.Arbitrary<Register> = fc.oneof(
  fc.record({ present: fc.boolean(), ts, origin }),
  fc.record({ present: fc.constant(false), ts, origin: fc.constant('Z' as const) }),
  fc.record({
    present: fc.constant(false),
    ts,
    origin,
    reason: fc.constantFrom<Reason>('student_not_found', 'course_not_found', 'course_full', 'student_full'),
  }),
)
const hex24 = fc
  .array(fc.constantFrom(...'0123456789abcdef'), { minLength: 24, maxLength: 24 })
  .map((digits) => digits.join(''))
const link: fc.Arbitrary<LinkMessage> = fc.record({ student_id: fc.uuid(), course_id: hex24, register })

test('a link comes back as it was sent', () => {
  fc.assert(
    fc.property(link, (message) => {
      expect(decodeLink(encodeLink(message))).toEqual(message)
    }),
  )
})

test('a mutation comes back as it was sent, from either side', () => {
  fc.assert(
    fc.property(fc.array(link), fc.uuid(), hex24, (links, student, course) => {
      const ofStudent = { id: student, links: links.map((one) => ({ ...one, student_id: student })) }
      expect(decodeToModify('S', encodeToModify('S', ofStudent))).toEqual(ofStudent)
      const ofCourse = { id: course, links: links.map((one) => ({ ...one, course_id: course })) }
      expect(decodeToModify('C', encodeToModify('C', ofCourse))).toEqual(ofCourse)
    }),
  )
})

test('bytes of any kind are decoded or undecodable, nothing else', () => {
  const damaged = fc.tuple(link, fc.nat(), fc.nat({ max: 255 })).map(([message, at, value]) => {
    const bytes = encodeLink(message)
    bytes[at % bytes.length] = value
    return bytes
  })
  const decoders = [decodeLink, decodeToModify.bind(null, 'S'), decodeToModify.bind(null, 'C')]
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
      for (const decode of decoders) {
        try {
          decode(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(UndecodableMessage)
        }
      }
    }),
    { numRuns: 2000 },
  )
})

describe('what does not decode', () => {
  test('names every problem at once', ({ onTestFinished }) => {
    vi.useFakeTimers({ now: 0 })
    onTestFinished(() => void vi.useRealTimers())
    const bytes = encoded(LinkChangedSchema, {
      studentId: student_id.toUpperCase(),
      courseId: 'x'.repeat(100),
      register: { present: true, ts: '-1', origin: 9, reason: 8 },
    })
    expect(() => decodeLink(bytes)).toThrow(
      new UndecodableMessage('LinkChanged', [
        'student_id is "0198C5A0-0000-7000-8000-000000000001" instead of a lower-case UUID',
        `course_id is "${'x'.repeat(40)}…" instead of 24 lower-case hexadecimal digits`,
        'register.ts is -1 instead of 1 to 31622400000000, a year from now',
        'register.origin 9 is not known',
        'register.reason 8 is not known',
        'register is present although it has a reason',
      ]),
    )
  })

  test('an empty message, and one of no protobuf', () => {
    expect(() => decodeLink(new Uint8Array())).toThrow(/^not a valid LinkChanged: .*register is missing$/)
    expect(() => decodeLink(new TextEncoder().encode('{"student_id": 1}'))).toThrow(/broken protobuf/)
  })

  test.each([
    ['no ts', { origin: 1 }, /register\.ts is 0/],
    [
      'a ts that is more than a year ahead',
      { origin: 1, ts: String(latestTimestamp(Date.now() + 60_000)) },
      /register\.ts/,
    ],
    ['no origin', { ts: '5' }, /origin 0 is not known/],
    ['an unspecified reason', { ts: '5', origin: 1, reason: 0 }, /reason 0 is not known/],
    ['an add by the floor', { ts: '5', origin: 3, present: true }, /although a floor made it/],
  ])('a register with %s', (_, register, problem) => {
    const bytes = encoded(LinkChangedSchema, { studentId: student_id, courseId: course_id, register })
    expect(() => decodeLink(bytes)).toThrow(problem)
  })

  test("a mutation with another's link says which", () => {
    const other = '0198c5a0-0000-7000-8000-000000000002'
    const links = [student_id, other].map((studentId) => ({
      studentId,
      courseId: course_id,
      register: { ts: '5', origin: 1 },
    }))
    const bytes = encoded(StudentToModifySchema, { studentId: student_id, links })
    expect(() => decodeToModify('S', bytes)).toThrow(
      'not a valid StudentToModify: links[1].student_id is not the student_id of the message',
    )
  })
})

test('a register that never travels is not encoded', () => {
  const never: Register = { present: false, ts: 0, origin: '' }
  expect(() => encodeLink({ student_id, course_id, register: never })).toThrow(RangeError)
})

/** What our own encoder never makes: through JSON, for its types do not allow it either. */
function encoded(schema: DescMessage, message: JsonValue): Uint8Array {
  return toBinary(schema, fromJson(schema, message))
}
