import { expect, it } from 'vitest'
import { databaseOf, passwordOf, urlFor } from './credentials.ts'

const key = 'a-key-of-the-tests-0123456789-0123456789'
const word = passwordOf(key, 'students-get')

it('a password is a function’s alone, and the key’s', () => {
  expect(word).toMatch(/^p[0-9a-f]{48}$/)
  expect(passwordOf(key, 'students-list')).not.toBe(word)
  expect(passwordOf(`${key}x`, 'students-get')).not.toBe(word)
})

it.each([
  ['postgres://o:p@db:5432/registrar', `postgres://registrar.students-get:${word}@db:5432/registrar`],
  [
    'postgresql://o@db/a%20b?sslmode=require',
    `postgresql://a%20b.students-get:${word}@db/a%20b?sslmode=require`,
  ],
  // Lists of hosts, as the drivers take them.
  ['postgres://o:p@one:5432,two:5432/r', `postgres://r.students-get:${word}@one:5432,two:5432/r`],
  ['nats://o:p@one:4222,two:4222', `nats://students-get:${word}@one:4222,two:4222`],
  ['tls://o:p@nats', `tls://students-get:${word}@nats`],
  // Who asks the owner for nothing asks nobody; MongoDB and Redis know one user.
  ['nats://nats:4222', 'nats://nats:4222'],
  ['mongodb://o:p@one,two/registrar', 'mongodb://o:p@one,two/registrar'],
  ['redis://:p@redis', 'redis://:p@redis'],
])('%s is, for a function, %s', (url, own) => {
  expect(urlFor('students-get', url, key)).toBe(own)
})

it('a Postgres without a database is refused, and the URL is not told', () => {
  expect(() => databaseOf('postgres://o:p@db')).toThrow(/^the URL of a Postgres names no database/)
})
