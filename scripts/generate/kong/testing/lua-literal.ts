/** A value as Lua writes it. */
export function literal(value: unknown): string {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'latin1')
    return `"${Array.from(bytes, (byte) => (isPlain(byte) ? String.fromCharCode(byte) : `\\${`${byte}`.padStart(3, '0')}`)).join('')}"`
  }
  if (Array.isArray(value)) return `{${value.map(literal).join(',')}}`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, one]) => one !== undefined)
    return `{${members.map(([name, one]) => `[${literal(name)}]=${literal(one)}`).join(',')}}`
  }
  return String(value)
}

const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
