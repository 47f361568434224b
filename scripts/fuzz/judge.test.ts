import { expect, test } from 'vitest'
import { judge } from './judge.ts'
import { Description } from './openapi.ts'
import type { Ask, Shot } from './shot.ts'

const description = new Description(({ path, method }) => path === '/api/students/{id}' && method === 'GET')

/** The rules that a refusal breaks which says this. */
function broken(detail: string, headers: Readonly<Record<string, string>> = {}): string[] {
  const problem = {
    type: 'about:blank',
    title: 'Unavailable',
    status: 503,
    code: 'unavailable',
    detail,
    trace_id: 'a'.repeat(32),
  }
  const answer = {
    status: 503,
    headers: new Map(
      Object.entries({ 'content-type': 'application/problem+json', 'retry-after': '1', ...headers }),
    ),
    body: Buffer.from(JSON.stringify(problem)),
  }
  const ask = { method: 'GET', path: '/api/students/{id}', worth: 'valid' } as const
  const shot = { family: 'valid', pieces: [''], pause: 0, ends: false, asks: [ask] } as const
  const outcome = { answers: [answer], closed: false, hung: false, broken: undefined, refused: false }
  return judge({ description, shot, outcome, direct: false }).map(({ rule }) => rule)
}

test.each([
  'connect ECONNREFUSED postgres',
  'connect ETIMEDOUT',
  'getaddrinfo ENOTFOUND db',
  'invalid input syntax for type uuid',
  'column "foo" does not exist',
  'relation "entities" does not exist',
  'invalid byte sequence for encoding "UTF8"',
  'permission denied for table links',
  'E11000 duplicate key error collection: registrar.courses',
  'BSONError: bad length',
  'select id, fields from students.entities',
  'UPDATE students.entities SET version = 2',
  'insert into links values (1)',
  'db.prod.example.com:5432',
  'db:5432 does not answer',
  '10.99.0.1:5432',
  '10.99.0.1',
  'Cannot read properties of undefined',
  'handler is not a function',
  'Error: x\n    at handle (/srv/a.js:1:2)',
  'no such file /var/lib/x',
])('%s is a leak', (detail) => {
  expect(broken(detail)).toEqual(['nothing leaks (GET /api/students/{id}: 503)'])
})

test.each([
  'the database is not available',
  'the function did not answer in time',
  'the function ended before it had answered',
  'the student is not the one of If-Match any more',
  'Idempotency-Key must have 1 to 255 printable ASCII characters',
  'must be one of in_class, online; select one',
  'the body must be application/json or application/merge-patch+json, in UTF-8 and not compressed',
])('%s is none', (detail) => {
  const headers = {
    date: 'Mon, 30 Nov 2026 14:02:33 GMT',
    link: '</api/students?limit=50&sort=created_at&cursor=SHVUb1hr>; rel="next"',
    etag: '"v12"',
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    'cache-status': 'registrar; fwd=miss; stored',
  }
  expect(broken(detail, headers)).toEqual([])
})

const health = new Description(({ path }) => path === '/api/students/health')

test.each<[Ask['worth'], number, Record<string, string>, closed: string[], hung: string[]]>([
  ['valid', 0, {}, ['there is an answer'], ['the connection does not hang']],
  ['valid', 2, {}, ['there is an answer'], ['the connection does not hang']],
  ['valid', 3, {}, [], []],
  // Whoever says that it closes owes nothing behind it.
  ['valid', 2, { connection: 'close' }, [], []],
  ['unknown', 0, {}, [], ['the connection does not hang']],
])('three pipelined %s requests before a broken one, %i answers with %j', (worth, count, more, ...rules) => {
  const ask: Ask = { method: 'GET', path: '/api/students/health', worth }
  const asks: Ask[] = [ask, ask, ask, { method: 'GET', path: undefined, worth: 'unknown' }]
  const shot: Shot = { family: 'framing', pieces: [''], pause: 0, ends: true, asks }
  const answer = {
    status: 200,
    headers: new Map(Object.entries({ 'content-type': 'application/json', ...more })),
    body: Buffer.from('{"status":"ok"}'),
  }
  const answers = Array.from({ length: count }, () => answer)
  const found = [true, false].map((closed) => {
    const outcome = { answers, closed, hung: !closed, broken: undefined, refused: false }
    return judge({ description: health, shot, outcome, direct: false }).map(({ rule }) => rule)
  })
  expect(found).toEqual(rules)
})
