import { join } from 'node:path'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { pathPattern } from '../../../shared/http/routes.ts'
import { decodeLink, decodeToModify } from '../../../shared/messages/link-codec.ts'
import type { HttpTrigger } from '../../../shared/spec/define-function.ts'
import { discoverFunctions } from '../../../shared/spec/discover.ts'
import { courseId, studentId } from '../ids.ts'
import { lookupOf, mainOperation, messageOf, onlyReads, requestsOf } from './requests.ts'

const functions = await discoverFunctions(join(import.meta.dirname, '../../..'))
const filled = { rows: 1000, at: Date.UTC(2026, 0, 1) }

const ofHttp = functions.flatMap(({ name, declaration: { trigger } }) =>
  trigger.kind === 'http' ? [{ name, operation: mainOperation(trigger) }] : [],
)

describe.each(ofHttp)('what $name.full is asked', ({ name, operation }) => {
  const requests = requestsOf(name.service, operation, filled)
  const request = requests(7)

  it('is what it declares first', () => {
    const [path = '', query = ''] = request.path.split('?')
    expect(request.method).toBe(operation.method)
    expect(path).toMatch(new RegExp(`^${pathPattern(operation.path)}$`))
    if (operation.query)
      expect(
        v.safeParse(operation.query, Object.fromEntries(new URLSearchParams(query))).issues,
      ).toBeUndefined()
    else expect(query).toBe('')
    if (operation.body)
      expect(v.safeParse(operation.body, JSON.parse(request.body ?? '')).issues).toBeUndefined()
    else expect(request.body).toBeUndefined()
  })

  it('is another thing for each number, and the same for the same', () => {
    expect(requests(7)).toEqual(request)
    const { params, body, cache } = operation
    if (params || body || cache) expect(requests(8)).not.toEqual(request)
  })
})

it('a body has no links, and a name that no other has', () => {
  const create = ofHttp.find(({ name }) => name.full === 'students/create')
  const body = JSON.parse(create ? (requestsOf('students', create.operation, filled)(46656).body ?? '') : '')
  expect(body).toMatchObject({ name: 'Cost 001000', course_ids: [] })
})

it.each(functions.filter(({ declaration: { trigger } }) => trigger.kind === 'stream'))(
  '$name.full is told of a new link',
  ({ declaration: { trigger } }) => {
    const subject = trigger.kind === 'stream' ? trigger.subject : ''
    const bytes = messageOf(subject, 7)
    const links = subject.endsWith('.to_modify')
      ? decodeToModify(subject.startsWith('student') ? 'S' : 'C', bytes).links
      : [decodeLink(bytes)]
    const [own, other] = subject.startsWith('student')
      ? [{ student_id: studentId(7) }, { course_id: courseId(27) }]
      : [{ course_id: courseId(7) }, { student_id: studentId(27) }]
    expect(links).toEqual([{ ...own, ...other, register: expect.objectContaining({ present: true }) }])
  },
)

it('a subject that nobody knows is said to be one', () => {
  expect(() => messageOf('student.forgotten', 1)).toThrow('student.forgotten')
})

it('lookups are asked with ids of the other service', () => {
  expect(lookupOf('students', 3).toString('latin1')).toBe(`\n\x18${courseId(3)}`)
  expect(lookupOf('courses', 3).toString('latin1')).toBe(`\n\x24${studentId(3)}`)
})

it('only what reads alone may be asked the same again', () => {
  const http = (method: 'GET' | 'DELETE'): HttpTrigger => ({
    kind: 'http',
    operations: {
      first: { method, path: '/api/x', summary: '', success: { status: 200, description: '' } },
      second: { method: 'POST', path: '/api/x', summary: '', success: { status: 200, description: '' } },
    },
  })
  expect([http('GET'), http('DELETE')].map(onlyReads)).toEqual([true, false])
  expect(onlyReads({ kind: 'stream', stream: 'S', subject: 's' })).toBe(false)
  expect(onlyReads({ kind: 'grpc', service: 's', method: 'm' })).toBe(true)
})
