import { createHash } from 'node:crypto'
import { Failure } from '../errors.ts'
import type { PageQuery } from './ports.ts'

type Position = NonNullable<PageQuery['after']>

/**
 * Where a page ended, for the client to hand back: opaque, bound to the query that it came from and closed with a
 * checksum. It gives no access that the query itself does not give, so it needs no secret.
 */
export function encodeCursor(scope: string, { value, id }: Position): string {
  const payload = JSON.stringify([value, id])
  return Buffer.from(`${checksum(scope, payload)}${payload}`).toString('base64url')
}

/** What the positions of a query are like. */
export interface Positions {
  readonly value: 'text' | 'time'
  readonly id: RegExp
}

/**
 * The checksum is no secret, so what it closes is looked at too.
 * @throws Failure `malformed` for what `encodeCursor` did not make for this scope.
 */
export function decodeCursor(scope: string, cursor: string, positions: Positions): Position {
  const bytes = Buffer.from(cursor, 'base64url')
  const text = bytes.toString()
  const payload = text.slice(checksumLength)
  if (bytes.toString('base64url') === cursor && text.slice(0, checksumLength) === checksum(scope, payload)) {
    const position = positionOf(payload, positions)
    if (position) return position
  }
  throw new Failure('malformed', {
    detail: 'the query is not valid',
    errors: [{ pointer: '/cursor', message: 'is not a cursor that this query gave' }],
  })
}

/** The latest that a JavaScript date can be, which a database can be too. */
const endOfTime = 8.64e15

function positionOf(payload: string, positions: Positions): Position | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(payload)
  } catch {
    return undefined
  }
  if (!Array.isArray(parsed) || parsed.length !== 2) return undefined
  const [value, id]: unknown[] = parsed
  if (typeof id !== 'string' || !positions.id.test(id)) return undefined
  if (positions.value === 'time') {
    return Number.isSafeInteger(value) && typeof value === 'number' && 0 <= value && value <= endOfTime
      ? { value, id }
      : undefined
  }
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
    ? { value, id }
    : undefined
}

const checksumLength = 16

function checksum(scope: string, payload: string): string {
  return createHash('sha256')
    .update(`cursor 1\n${scope}\n${payload}`)
    .digest('base64url')
    .slice(0, checksumLength)
}

/** What a cursor is bound to: everything of the query but the page's size. */
export function cursorScope(
  service: string,
  { sort, descending, filter }: Omit<PageQuery, 'limit' | 'after'>,
): string {
  return JSON.stringify([
    service,
    sort,
    descending,
    Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1)),
  ])
}
