import * as v from 'valibot'
import { linkMessage } from '../../../shared/enrolment/messages.ts'
import { otherSide } from '../../../shared/enrolment/register.ts'
import { encodeLink, encodeToModify } from '../../../shared/messages/link-codec.ts'
import { toldTo, toModify } from '../../../shared/messages/streams.ts'
import { cursorScope, encodeCursor } from '../../../shared/resource/cursor.ts'
import type { HttpTrigger, Operation, Trigger } from '../../../shared/spec/define-function.ts'
import { exampleOf } from '../../generate/openapi-examples.ts'
import type { Sent } from '../connection.ts'
import { courseId, studentId } from '../ids.ts'

// What each function is asked, made of its declaration alone: a new one is measured without a word here.

/** The tables that they are asked about. */
export interface Filled {
  /** Students and courses, numbered from 1. */
  readonly rows: number
  /** When the last of them was made, in milliseconds since 1970; each before it a second earlier. */
  readonly at: number
}

/** How far from a student the course is that it is newly enrolled in: none of those that it has. */
export const strangers = 20

/** The operation that stands for a function: its first. */
export function mainOperation({ operations }: HttpTrigger): Operation {
  const [first] = Object.values(operations)
  if (!first) throw new Error('there is an HTTP function without operations')
  return first
}

/** Whether it leaves everything as it is, so that it and others may be asked the same again. */
export const onlyReads = (trigger: Trigger): boolean =>
  trigger.kind === 'grpc' || (trigger.kind === 'http' && mainOperation(trigger).method === 'GET')

/** Makes the n-th request: about the n-th entity, with a name that no other n has, and with no links. */
export function requestsOf(service: string, operation: Operation, filled: Filled): (n: number) => Sent {
  const { method, path, params = {}, body, accepts, cache } = operation
  const parts = Object.entries(params).map(([name, schema]) => [`{${name}}`, idFor(name, schema)] as const)
  const query = cache === 'list' ? pages(service, filled) : () => ''
  const example = body && v.parse(v.record(v.string(), v.unknown()), exampleOf(body))
  return (n) => {
    const whole = parts.reduce((so, [part, id]) => so.replace(part, id(n)), String(path))
    const sent = { method, path: `${whole}${query(n)}` }
    if (!example) return sent
    const headers = { 'content-type': accepts?.[0] ?? 'application/json' }
    return { ...sent, headers, body: JSON.stringify(unlinked(example, n)) }
  }
}

function idFor(name: string, schema: v.GenericSchema): (n: number) => string {
  const made = [studentId, courseId].find((id) => v.is(schema, id(1)))
  if (!made) throw new Error(`the parameter ${name} is neither a student's id nor a course's`)
  return made
}

/** Pages that differ in where they begin, made as the list makes them: any point in time is such a place. */
function pages(service: string, { rows, at }: Filled): (n: number) => string {
  const scope = cursorScope(service, { sort: 'created_at', descending: false, filter: {} })
  const id = service === 'students' ? studentId : courseId
  return (n) => `?cursor=${encodeCursor(scope, { value: at - (rows - n) * 1000, id: id(n) })}`
}

function unlinked(example: Readonly<Record<string, unknown>>, n: number): Record<string, unknown> {
  const fields = Object.entries(example).map(([name, value]) => [name, Array.isArray(value) ? [] : value])
  return { ...Object.fromEntries(fields), name: `Cost ${n.toString(36).padStart(6, '0')}` }
}

/** What a lookup is asked: for the members of one id of the other service, field 1 of both requests in proto/. */
export function lookupOf(service: string, n: number): Buffer {
  const id = service === 'students' ? courseId(n) : studentId(n)
  return Buffer.concat([Buffer.from([0x0a, id.length]), Buffer.from(id)])
}

/** The n-th message of a subject: one new link, of a student and a course that are there. */
export function messageOf(subject: string, n: number): Uint8Array {
  for (const side of ['S', 'C'] as const) {
    const [own, other] =
      side === 'S' ? [studentId(n), courseId(n + strangers)] : [courseId(n), studentId(n + strangers)]
    const register = { present: true, ts: 1_750_000_000_000_000 + n, origin: side }
    const link = linkMessage(side, own, other, register)
    if (subject === toModify[side]) return encodeToModify(side, { id: own, links: [link] })
    if (subject === toldTo[otherSide(side)]) return encodeLink(link)
  }
  throw new Error(`nobody told the benchmark what a message of ${subject} is like`)
}
