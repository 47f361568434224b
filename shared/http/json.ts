import { Failure } from '../errors.ts'

/** Stands, in a parsed body, where a number was that a double does not give back as it was sent. */
export class UnsafeNumber {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A number that needs a closer look: many digits, an exponent, or -0. Seen in a string it only costs that look. */
const suspicious = /[\d.]{16}|\d[eE][+-]?\d|-0/

/** The look at numbers recurses: where nesting is deeper, and might overflow the stack, they are looked at by themselves. */
const deepest = 1000

/** Strings and numbers of a JSON text: what looks like a number within a string is none. */
const scalars = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g

/**
 * The value of a JSON body, in which numbers that a double does not give back as they were sent are left as `UnsafeNumber`s.
 * @throws Failure `malformed` for invalid UTF-8 or JSON, or numbers that nesting would hide.
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch (cause) {
    throw new Failure('malformed', { detail: 'the body is not valid UTF-8', cause })
  }
  const look = suspicious.test(text)
  const deep = look && depth(text) > deepest
  if (deep && hasUnsafe(text)) {
    const detail = `a number that a double does not hold lies among more than ${deepest} levels`
    throw new Failure('malformed', { detail })
  }
  try {
    return look && !deep ? JSON.parse(text, keepUnsafe) : JSON.parse(text)
  } catch (cause) {
    throw new Failure('malformed', { detail: 'the body is not valid JSON', cause })
  }
}

/** `source` is of the proposal "JSON.parse source text access", in V8 since Node 21. */
function keepUnsafe(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source
  if (typeof value !== 'number' || source === undefined) return value
  // JSON knows no -0 of its own: what is kept reads back as 0.
  return survives(source, value) ? value + 0 : new UnsafeNumber(source)
}

function hasUnsafe(text: string): boolean {
  for (const [scalar] of text.matchAll(scalars))
    if (!scalar.startsWith('"') && !survives(scalar, Number(scalar))) return true
  return false
}

/** Whether the double, written in the shortest way that reads back as itself, is the number that was sent. */
export function survives(source: string, value: number): boolean {
  return Number.isFinite(value) && canonical(source) === canonical(String(value))
}

/** A decimal number as significant digits and an exponent: the same text for the same number. */
function canonical(decimal: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(decimal)
  if (!match) return decimal
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  return `${sign}${significant}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)}`
}

function depth(text: string): number {
  let most = 0
  let level = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (quoted) {
      if (char === 0x5c) i++
      else if (char === 0x22) quoted = false
    } else if (char === 0x22) quoted = true
    else if (char === 0x5b || char === 0x7b) most = Math.max(most, ++level)
    else if (char === 0x5d || char === 0x7d) level--
  }
  return most
}
