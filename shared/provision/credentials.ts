import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

/*
 * Each function is somebody of its own at Postgres and at NATS, with a password that derives from one key, the roles key:
 * whoever has it can say every function's, and nobody else can say any. Functions are only ever told their own.
 */

/** The password of a function, of 192 bits: a letter first and no other signs, as URLs and NATS' configuration like it. */
export const passwordOf = (key: string, slug: string): string =>
  `p${createHmac('sha256', key).update(`function ${slug}`).digest('hex').slice(0, 48)}`

/** The role of a function in a database: roles are of the whole server, which may have other databases like it. */
export const roleOf = (database: string, slug: string): string => `${database}.${slug}`

/** `scheme://`, the credentials with their `@`, the host or hosts, and the rest. By hand, for lists of hosts are no URLs. */
const parts = /^(\w+:\/\/)([^@/]*@)?([^/?]*)(.*)$/

/** The database that a URL of Postgres names. */
export function databaseOf(url: string): string {
  const [, , , , rest = ''] = parts.exec(url) ?? []
  const name = /^\/([^?]+)/.exec(rest)?.[1]
  if (name === undefined) throw new Error('the URL of a Postgres names no database: roles are of one')
  return decodeURIComponent(name)
}

/** The same server's URL for a function; of servers at which functions are nobody of their own, the URL as it is. */
export const urlFor = (slug: string, url: string, key: string): string =>
  urlAs(slug, url, passwordOf(key, slug))

/** The same with a password of one's own, which may be the reference to one. */
export function urlAs(slug: string, url: string, password: string): string {
  const [, scheme = '', credentials, hosts = '', rest = ''] = parts.exec(url) ?? []
  // A server that asks the owner for nothing asks nobody.
  if (credentials === undefined) return url
  const own = (user: string): string => `${scheme}${encodeURIComponent(user)}:${password}@${hosts}${rest}`
  if (scheme === 'postgres://' || scheme === 'postgresql://') return own(roleOf(databaseOf(url), slug))
  return scheme === 'nats://' || scheme === 'tls://' ? own(slug) : url
}

/** What Postgres keeps of a password, so that no statement, and no log of one, ever has it: RFC 5802, RFC 7677. */
export function scramVerifier(key: string, role: string, password: string): string {
  // Stretching is for passwords that can be guessed; of one of 192 bits it would only lengthen each cold start.
  const iterations = 1
  const salt = createHmac('sha256', key).update(`salt ${role}`).digest().subarray(0, 16)
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest()
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${hmac('Server Key').toString('base64')}`
}

/** Tells whether a role's password is still the key's, without telling the password. */
export const fingerprintOf = (key: string, role: string): string =>
  createHmac('sha256', key).update(`fingerprint ${role}`).digest('hex').slice(0, 16)
