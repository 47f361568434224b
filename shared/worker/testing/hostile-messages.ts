import { create, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { latestTimestamp } from '../../enrolment/register.ts'
import consumers from '../../generated/consumers.json' with { type: 'json' }
import {
  CourseToModifySchema,
  LinkChangedSchema,
  RegisterSchema,
  StudentToModifySchema,
} from '../../generated/registrar/v1/enrolment_pb.ts'

/** A field's value as the wire can have it, lawful or not. */
export interface Link {
  readonly student: string
  readonly course: string
  readonly register:
    | { readonly present: boolean; readonly ts: bigint; readonly origin: number; readonly reason?: number }
    | undefined
}

export interface Hostile {
  readonly subject: string
  readonly bytes: Uint8Array
  /** Whether a worker has to take it; undefined where nobody but the decoder can say. */
  readonly lawful: boolean | undefined
  readonly links: readonly Link[]
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const hex = /^[\da-f]{24}$/
const latest = BigInt(latestTimestamp(Date.now()))
const day = 86_400_000_000n

const isLawful = ({ student, course, register }: Link): boolean =>
  uuid.test(student) &&
  hex.test(course) &&
  register !== undefined &&
  register.ts >= 1n &&
  register.ts <= latest &&
  [1, 2, 3].includes(register.origin) &&
  !(register.present && (register.origin === 3 || register.reason !== undefined)) &&
  [undefined, 1, 2, 3, 4].includes(register.reason)

const strange = fc.constantFrom(
  '',
  ' ',
  '\0',
  'x',
  'é',
  '..',
  '%s',
  "'; drop table links; --",
  'f'.repeat(100_000),
  `${'a'.repeat(24)}\n`,
)
const now = BigInt(Date.now()) * 1000n
const ts = fc.oneof(
  { weight: 3, arbitrary: fc.bigInt({ min: now, max: now + 86_400_000_000n }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      0n,
      -1n,
      1n,
      latest - 1n,
      latest,
      latest + day,
      9_000_000_000_000_000n,
      2n ** 53n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ),
  },
)
const register = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .record({
        present: fc.boolean(),
        ts,
        origin: fc.constantFrom(1, 2, 1, 2, 3, 0, 4, -1, 2 ** 31 - 1),
        reason: fc.option(fc.constantFrom(1, 2, 3, 4, 0, 5, -7), { nil: undefined, freq: 3 }),
      })
      .map(({ reason, ...rest }) => (reason === undefined ? rest : { ...rest, reason })),
  },
  { weight: 1, arbitrary: fc.constant(undefined) },
)
export const messageOf = ({ student, course, register }: Link) =>
  create(LinkChangedSchema, {
    studentId: student,
    courseId: course,
    ...(register && { register: create(RegisterSchema, register as never) }),
  })

const subject = fc.constantFrom(...consumers.map((one) => one.subject))
const noise = fc.record({
  subject,
  bytes: fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    // Protobuf's own traps: groups, endless varints, lengths beyond the end, fields of many levels.
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        ...[
          '',
          '0b0c',
          'ffffffffffffffffffff01',
          '0affffffff0f',
          '0a80808080808080808001',
          '1a021a00',
          '0a03c3282f',
          '08',
        ].map((digits) => Uint8Array.from(Buffer.from(digits, 'hex'))),
        Uint8Array.from(Buffer.alloc(50_000, 0x0b)),
      ),
    },
    // With its reason it is more than the broker takes at once.
    {
      weight: 1,
      arbitrary: fc.constantFrom(1_048_576 - 200, 500_000).map((size) => new Uint8Array(size).fill(0xff)),
    },
  ),
  lawful: fc.constant(undefined),
  links: fc.constant([]),
})

/**
 * Messages for any worker: of links and mutations, lawful or not, cut off, changed, grown, or bytes of any kind. Many are of
 * these students and courses, which may be made later than this is asked for.
 */
export function hostileMessages(
  students: readonly string[],
  courses: readonly string[],
): fc.Arbitrary<Hostile> {
  const studentId = fc.oneof(
    { weight: 6, arbitrary: fc.nat(2).map((n) => students[n] ?? '') },
    { weight: 1, arbitrary: fc.uuid() },
    {
      weight: 1,
      arbitrary: fc.oneof(
        strange,
        fc.uuid().map((id) => id.toUpperCase()),
      ),
    },
  )
  const courseId = fc.oneof(
    { weight: 6, arbitrary: fc.nat(2).map((n) => courses[n] ?? '') },
    { weight: 1, arbitrary: fc.stringMatching(/^[\da-f]{24}$/) },
    { weight: 1, arbitrary: fc.oneof(strange, fc.constant('A'.repeat(24))) },
  )
  const link: fc.Arbitrary<Link> = fc.record({ student: studentId, course: courseId, register })

  const ofLink = fc.constantFrom('student.modified', 'course.modified').chain((subject) =>
    link.map(
      (one): Hostile => ({
        subject,
        bytes: toBinary(LinkChangedSchema, messageOf(one)),
        lawful: isLawful(one),
        links: [one],
      }),
    ),
  )

  const ofMutation = fc
    .record({
      side: fc.constantFrom('student' as const, 'course' as const),
      links: fc.array(link, { maxLength: 3 }),
      student: studentId,
      course: courseId,
      own: fc.boolean(),
      times: fc.constantFrom(1, 1, 1, 1, 1, 500),
    })
    .map(({ side, links, student, course, own, times }): Hostile => {
      const all = Array.from({ length: times }, () => links)
        .flat()
        .map((one) => (own ? { ...one, [side]: side === 'student' ? student : course } : one))
      const messages = all.map(messageOf)
      const id = side === 'student' ? student : course
      return {
        subject: `${side}.to_modify`,
        bytes:
          side === 'student'
            ? toBinary(
                StudentToModifySchema,
                create(StudentToModifySchema, { studentId: id, links: messages }),
              )
            : toBinary(CourseToModifySchema, create(CourseToModifySchema, { courseId: id, links: messages })),
        lawful:
          (side === 'student' ? uuid : hex).test(id) && all.every((one) => isLawful(one) && one[side] === id),
        // What it tells the other side arrives in messages of their own.
        links: [],
      }
    })

  /** Lawful or not, with fields that nobody knows, cut off, or with bytes changed. */
  const bent = fc
    .tuple(fc.oneof(ofLink, ofMutation), fc.constantFrom('grown', 'cut', 'changed'), fc.nat(), fc.nat(255))
    .map(([message, how, at, value]): Hostile => {
      // A varint in field 99, which a newer version may have.
      if (how === 'grown') return { ...message, bytes: Uint8Array.from([...message.bytes, 0x98, 0x06, 0x01]) }
      const bytes = Uint8Array.from(message.bytes)
      const place = at % Math.max(1, bytes.length)
      if (how === 'cut') return { ...message, bytes: bytes.slice(0, place), lawful: undefined, links: [] }
      if (place < bytes.length) bytes[place] = value
      return { ...message, bytes, lawful: undefined, links: [] }
    })

  return (
    fc
      .oneof(
        { weight: 4, arbitrary: ofLink },
        { weight: 3, arbitrary: ofMutation },
        { weight: 2, arbitrary: noise },
        { weight: 2, arbitrary: bent },
      )
      // More the broker does not take from anybody.
      .filter(({ bytes }) => bytes.length < 1_048_576 - 100)
      .map((message) => ({ ...message, [fc.toStringMethod]: () => shown(message) }))
  )
}

/** As fast-check tells what fails. */
function shown({ subject, bytes, lawful }: Hostile): string {
  const hex = Buffer.from(bytes.subarray(0, 300)).toString('hex')
  return `${subject} ${bytes.length} bytes, lawful ${lawful}: ${hex}`
}
