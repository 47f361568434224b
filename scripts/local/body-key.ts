/** As Latin-1; a parser skips it, and it is three bytes, as what stands for it here. */
const byteOrderMark = /^\u00ef\u00bb\u00bf/

interface Member {
  readonly name: string
  readonly value: string
  readonly start: number
  readonly end: number
}

/**
 * Takes the named members out of a JSON object's text and tells the value of the last that is a string. The rest stays
 * as it was, byte by byte: what a parser would round, merge or reorder is the function's to see. Undefined for what is no
 * JSON object.
 */
export function takeMembers(
  body: Buffer,
  names: readonly string[],
): { key: string | undefined; body: Buffer } | undefined {
  // One character for each byte: positions are the same, and JSON's own characters are ASCII.
  const sent = body.toString('latin1')
  const text = sent.replace(byteOrderMark, '   ')
  if (!isJsonObject(text)) return undefined
  if (!names.some((name) => text.includes(name)) && !text.includes('\\u')) return { key: undefined, body }
  const members = membersOf(text)
  const taken = members.filter(({ name }) => names.includes(name))
  if (taken.length === 0) return { key: undefined, body }
  const key = taken.map(({ value }) => stringOf(value)).findLast((value) => value !== undefined)
  const kept = members.filter(({ name }) => !names.includes(name))
  const first = members[0]?.start ?? 0
  const last = members.at(-1)?.end ?? 0
  const rest = kept.map(({ start, end }) => text.slice(start, end)).join(',')
  return { key, body: Buffer.from(sent.slice(0, first) + rest + text.slice(last), 'latin1') }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function stringOf(token: string): string | undefined {
  const value: unknown = JSON.parse(token)
  return typeof value === 'string' ? Buffer.from(value, 'latin1').toString() : undefined
}

/** Members of the outermost object, from after the `{` or `,` before to the `,` or `}` behind. The text is valid JSON. */
function membersOf(text: string): Member[] {
  const members: Member[] = []
  let at = text.indexOf('{') + 1
  while (at < text.length) {
    const start = at
    const nameStart = text.indexOf('"', at)
    if (nameStart < 0) break
    const nameEnd = stringEnd(text, nameStart)
    const colon = text.indexOf(':', nameEnd)
    const end = valueEnd(text, colon + 1)
    const name: unknown = JSON.parse(text.slice(nameStart, nameEnd))
    members.push({ name: String(name), value: text.slice(colon + 1, end), start, end })
    if (text[end] === '}') break
    at = end + 1
  }
  return members
}

/** Index behind the closing quote of the string that opens at `at`. */
function stringEnd(text: string, at: number): number {
  let end = at + 1
  while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1
  return end + 1
}

/** Index of the `,` or `}` that ends the value which begins at `at`. */
function valueEnd(text: string, at: number): number {
  let depth = 0
  let end = at
  for (; end < text.length; end++) {
    const character = text[end]
    if (character === '"') end = stringEnd(text, end) - 1
    else if (character === '{' || character === '[') depth++
    else if (depth === 0 && (character === ',' || character === '}')) break
    else if (character === '}' || character === ']') depth--
  }
  return end
}
